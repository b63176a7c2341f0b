/** Films: the stored stream, played by the browser. */
import { useEffect } from 'preact/hooks';
import { request } from '../api/client.js';
import { textOf, type DataSet } from '../dicom/data-set.js';
import { Message } from '../parts/message.js';
import { useRequest } from '../parts/use-request.js';
import { text } from '../text.js';

function Video({ path }: { readonly path: string }) {
  const [loaded, retry] = useRequest(path, async (signal) => {
    const response = await request(path, {
      headers: { Accept: 'video/mp4, video/H265, video/mpeg' },
      signal,
    });
    return URL.createObjectURL(await response.blob());
  });
  const url = loaded.state === 'there' ? loaded.value : undefined;
  useEffect(() => () => (url === undefined ? undefined : URL.revokeObjectURL(url)), [url]);
  if (loaded.state === 'loading') return <Message title={text.loading} />;
  if (loaded.state === 'failed') {
    return <Message title={loaded.message} tone="error" onRetry={retry} />;
  }
  return <video src={loaded.value} controls loop muted autoplay playsInline />;
}

interface Props {
  readonly path: string;
  readonly instances: readonly DataSet[];
}

export function Videos({ path, instances }: Props) {
  return (
    <div class="videos">
      {instances.map((instance) => {
        const uid = textOf(instance, 'SOPInstanceUID');
        return <Video key={uid} path={`${path}/instances/${uid}/rendered`} />;
      })}
    </div>
  );
}
