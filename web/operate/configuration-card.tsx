/** The settings that the service runs with: first those that were set. What is secret it does not send. */
import { request } from '../api/client.js';
import { useRequest } from '../parts/use-request.js';
import { text } from '../text.js';
import { LoadedCard } from './card.js';

interface Setting {
  readonly name: string;
  readonly description: string;
  readonly value: string | number | boolean | null;
  readonly isSet: boolean;
  readonly isSecret: boolean;
}

function Value({ value, isSecret }: Setting) {
  if (isSecret) return <span class="faint">{value === null && text.operate.settingSecret}</span>;
  if (value === null) return <span class="faint">{text.operate.settingNone}</span>;
  return <bdi class="mono">{String(value)}</bdi>;
}

/** What stands between backticks is code. */
function Described({ description }: Pick<Setting, 'description'>) {
  return (
    <>
      {description
        .split('`')
        .map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}
    </>
  );
}

function Settings({ settings }: { readonly settings: readonly Setting[] }) {
  return (
    <dl class="settings">
      {settings.map((setting) => (
        <div key={setting.name} class="setting">
          <dt>
            <span class="mono">{setting.name}</span>
          </dt>
          <dd>
            <Value {...setting} />
            <p class="hint">
              <Described description={setting.description} />
            </p>
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function ConfigurationCard() {
  const [loaded, reload] = useRequest('configuration', async (signal) => {
    return (await (await request('configuration', { signal })).json()) as readonly Setting[];
  });
  return (
    <LoadedCard title={text.operate.configuration} loaded={loaded} onRetry={reload}>
      {(settings) => {
        const set = settings.filter(({ isSet }) => isSet);
        const others = settings.filter(({ isSet }) => !isSet);
        return (
          <>
            {set.length === 0 ? (
              <p class="faint">{text.operate.nothingSet}</p>
            ) : (
              <Settings settings={set} />
            )}
            <details>
              <summary>{text.operate.defaults(others.length)}</summary>
              <Settings settings={others} />
            </details>
          </>
        );
      }}
    </LoadedCard>
  );
}
