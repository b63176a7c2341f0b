/** The links that work, whoever made them, and a way to withdraw each. */
import { request } from '../api/client.js';
import { useRequest } from '../parts/use-request.js';
import { links } from '../route.js';
import { text } from '../text.js';
import { LoadedCard } from './card.js';
import { useChange } from './use-change.js';
import { when } from './when.js';

interface Share {
  readonly id: string;
  readonly study: string;
  readonly series?: string;
  readonly created: string;
  readonly expires: string;
  readonly createdBy: { readonly objectId?: string; readonly appId?: string };
}

export function SharesCard() {
  const [loaded, reload] = useRequest('shares', async (signal) => {
    return (await (await request('shares', { signal })).json()) as readonly Share[];
  });
  const { problem, remove } = useChange(reload);
  return (
    <LoadedCard title={text.share.links} loaded={loaded} onRetry={reload} problem={problem}>
      {(shares) =>
        shares.length === 0 ? (
          <p class="faint">{text.share.none}</p>
        ) : (
          <ul class="plain">
            {shares.map(({ id, study, series, created, expires, createdBy }) => (
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
                  onClick={() => void remove(`shares/${id}`, text.share.confirmWithdraw)}
                >
                  {text.share.withdraw}
                </button>
              </li>
            ))}
          </ul>
        )
      }
    </LoadedCard>
  );
}
