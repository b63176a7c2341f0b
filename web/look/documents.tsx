/** Structured reports and encapsulated documents, as the service renders them. */
import { useEffect, useRef } from 'preact/hooks';
import { request } from '../api/client.js';
import { textOf, type DataSet } from '../dicom/data-set.js';
import { Message } from '../parts/message.js';
import { useRequest } from '../parts/use-request.js';
import { text } from '../text.js';

interface Rendered {
  readonly url?: string;
  /** Content of a page, without scripts, styles and frames. */
  readonly page?: readonly Node[];
}

const passedOver = 'script, style, link, meta, base, iframe, object, embed, form';

/** The body of a page of the service. What could run or load anything is left out. */
function contentOf(html: string): readonly Node[] {
  // Styles would be refused by the policy of the page, and complained about, while they are parsed.
  const unstyled = html.replace(/<style[^]*?<\/style>/gi, '');
  const page = new DOMParser().parseFromString(unstyled, 'text/html');
  for (const element of page.querySelectorAll(passedOver)) element.remove();
  for (const element of page.querySelectorAll('*')) {
    for (const { name } of [...element.attributes]) {
      if (name === 'style' || name === 'src' || name.startsWith('on'))
        element.removeAttribute(name);
    }
  }
  return [...page.body.childNodes];
}

async function load(path: string, signal: AbortSignal): Promise<Rendered> {
  const response = await request(path, {
    headers: { Accept: 'application/pdf, text/html;q=0.9' },
    signal,
  });
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/html')) return { page: contentOf(await response.text()) };
  const bytes = await response.arrayBuffer();
  return { url: URL.createObjectURL(new Blob([bytes], { type: 'application/pdf' })) };
}

function Page({ nodes }: { readonly nodes: readonly Node[] }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.replaceChildren(...nodes), [nodes]);
  return <div class="report" ref={place} />;
}

function Document({ path, title }: { readonly path: string; readonly title: string }) {
  const [loaded, retry] = useRequest(path, async (signal) => await load(path, signal));
  const url = loaded.state === 'there' ? loaded.value.url : undefined;
  useEffect(() => () => (url === undefined ? undefined : URL.revokeObjectURL(url)), [url]);
  if (loaded.state === 'loading') return <Message title={text.loading} />;
  if (loaded.state === 'failed') {
    return <Message title={loaded.message} tone="error" onRetry={retry} />;
  }
  return loaded.value.page === undefined ? (
    <iframe class="pdf" src={url} title={title} />
  ) : (
    <Page nodes={loaded.value.page} />
  );
}

interface Props {
  readonly path: string;
  readonly instances: readonly DataSet[];
}

export function Documents({ path, instances }: Props) {
  return (
    <div class="documents" tabIndex={0} role="region" aria-label={text.viewer.title}>
      {instances.map((instance) => {
        const uid = textOf(instance, 'SOPInstanceUID');
        const title = text.study.instanceNumber(textOf(instance, 'InstanceNumber'));
        return <Document key={uid} path={`${path}/instances/${uid}/rendered`} title={title} />;
      })}
    </div>
  );
}
