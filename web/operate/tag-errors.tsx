/** The instances whose value of a query tag could not be indexed, and why. */
import { request } from '../api/client.js';
import { Message } from '../parts/message.js';
import { useRequest } from '../parts/use-request.js';
import { links } from '../route.js';
import { text } from '../text.js';

interface TagError {
  readonly studyInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly errorMessage: string;
}

export function TagErrors({ path }: { readonly path: string }) {
  const [loaded, reload] = useRequest(path, async (signal) => {
    const response = await request(`extendedquerytags/${path}/errors?limit=200`, { signal });
    return (await response.json()) as readonly TagError[];
  });
  if (loaded.state === 'loading') return <p class="faint">{text.loading}</p>;
  if (loaded.state === 'failed') {
    return <Message title={loaded.message} tone="error" onRetry={reload} />;
  }
  return (
    <ul class="bullets tag-errors">
      {loaded.value.map(({ studyInstanceUid, sopInstanceUid, errorMessage }) => (
        <li key={sopInstanceUid}>
          {errorMessage}{' '}
          <a class="mono" href={links.study(studyInstanceUid)}>
            {sopInstanceUid}
          </a>
        </li>
      ))}
      {loaded.value.length === 0 && <li>{text.operate.tagErrorsGone}</li>}
    </ul>
  );
}
