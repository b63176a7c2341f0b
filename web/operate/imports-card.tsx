/** The import: how many files wait, and which were refused, with the reason in words. */
import { request } from '../api/client.js';
import { formatBytes } from '../dicom/format.js';
import { useRequest } from '../parts/use-request.js';
import { text } from '../text.js';
import { LoadedCard } from './card.js';
import { when } from './when.js';

interface Count {
  readonly count: number;
  readonly isAtLeast: boolean;
}

interface RefusedFile {
  readonly name: string;
  readonly bytes: number;
  readonly messages?: readonly string[];
  readonly reason?: string;
  readonly time?: string;
}

interface Imports {
  readonly waiting: Count;
  readonly refused: Count & { readonly files: readonly RefusedFile[] };
}

function counted({ count, isAtLeast }: Count): string {
  const number = text.operate.importFiles(count);
  return isAtLeast ? text.list.atLeast(number) : number;
}

function Refused({ name, bytes, messages = [], reason, time }: RefusedFile) {
  const why = messages.length > 0 ? messages.join(' ') : (reason ?? text.operate.noReport);
  const facts = [formatBytes(bytes), ...(time === undefined ? [] : [when(time)])];
  return (
    <li class="item">
      <div class="item-facts">
        <strong>
          <bdi>{name}</bdi>
        </strong>
        <p>{why}</p>
        <p class="faint">{facts.join(' · ')}</p>
      </div>
    </li>
  );
}

export function ImportsCard() {
  const [loaded, reload] = useRequest('imports', async (signal) => {
    return (await (await request('imports', { signal })).json()) as Imports;
  });
  return (
    <LoadedCard title={text.operate.imports} loaded={loaded} onRetry={reload}>
      {({ waiting, refused }) => (
        <>
          <p>{text.operate.importsNow(counted(waiting), counted(refused))}</p>
          {refused.files.length > 0 && (
            <>
              <ul class="plain scrolled" tabIndex={0} aria-label={text.operate.refusedFiles}>
                {refused.files.map((file) => (
                  <Refused key={file.name} {...file} />
                ))}
              </ul>
              {refused.count > refused.files.length && (
                <p class="faint">{text.operate.firstOnly(refused.files.length)}</p>
              )}
              <p class="hint">{text.operate.refusedHint}</p>
            </>
          )}
        </>
      )}
    </LoadedCard>
  );
}
