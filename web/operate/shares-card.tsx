/** The links that work, whoever made them, and a way to withdraw each. */
import { request } from '../api/client.js';
import { Message } from '../parts/message.js';
import { useRequest } from '../parts/use-request.js';
import { links } from '../route.js';
import { text } from '../text.js';
import { useRemoval } from './use-removal.js';

interface Share {
  readonly id: string;
  readonly study: string;
  readonly series?: string;
  readonly created: string;
  readonly expires: string;
  readonly createdBy: { readonly objectId?: string; readonly appId?: string };
}

const when = (time: string) => new Date(time).toLocaleString();

export function SharesCard() {
  const [loaded, reload] = useRequest('shares', async (signal) => {
    return (await (await request('shares', { signal })).json()) as readonly Share[];
  });
  const { problem, remove } = useRemoval(text.share.confirmWithdraw, reload);
  return (
    <section class="card">
      <h2>{text.share.links}</h2>
      {problem !== undefined && <Message title={problem} tone="error" />}
      {loaded.state === 'loading' && <p class="faint">{text.loading}</p>}
      {loaded.state === 'failed' && (
        <Message title={loaded.message} tone="error" onRetry={reload} />
      )}
      {loaded.state === 'there' && loaded.value.length === 0 && (
        <p class="faint">{text.share.none}</p>
      )}
      {loaded.state === 'there' && (
        <ul class="plain">
          {loaded.value.map(({ id, study, series, created, expires, createdBy }) => (
            <li key={id} class="item">
              <div class="item-facts">
                <span class="badge">
                  {series === undefined ? text.share.study : text.share.series}
                </span>{' '}
                <a
                  class="mono"
                  href={series === undefined ? links.study(study) : links.look(study, series)}
                >
                  {series ?? study}
                </a>
                <p class="faint">
                  {text.share.madeAndEnds(when(created), when(expires))}
                  {createdBy.objectId !== undefined && (
                    <>
                      {' · '}
                      <span class="mono">{createdBy.objectId}</span>
                    </>
                  )}
                </p>
              </div>
              <button
                type="button"
                class="button button-danger"
                onClick={() => void remove(`shares/${id}`)}
              >
                {text.share.withdraw}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
