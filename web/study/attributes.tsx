/** Every attribute of an instance as a table that can be searched, sequences within each other. */
import { useEffect, useState } from 'preact/hooks';
import { request } from '../api/client.js';
import { isName, type DataSet, type Element, type Value } from '../dicom/data-set.js';
import { formatName } from '../dicom/format.js';
import { keywords, loadKeywords, titleOf } from '../dicom/keywords.js';
import { Message } from '../parts/message.js';
import { useRequest } from '../parts/use-request.js';
import { text } from '../text.js';

/** One line of the table. */
interface Line {
  readonly key: string;
  readonly depth: number;
  readonly tag: string;
  readonly vr: string;
  readonly name: string;
  readonly value: string;
}

/** Lines shown at first: a segmentation has tens of thousands. */
const mostLines = 500;
const longestValue = 300;

function shownValue(value: Value): string {
  if (value === null) return '';
  if (isName(value)) return formatName(value);
  return typeof value === 'object' ? '' : String(value);
}

function valueOf({ Value: values = [], BulkDataURI, InlineBinary, vr }: Element): string {
  if (vr === 'SQ') return text.attributes.items(values.length);
  if (BulkDataURI !== undefined || InlineBinary !== undefined) return text.attributes.bytes;
  const shown = values.map(shownValue).join(' \\ ');
  return shown.length > longestValue ? `${shown.slice(0, longestValue)} …` : shown;
}

function nameOfTag(tag: string): string {
  const isPrivate = Number.parseInt(tag.slice(3, 4), 16) % 2 === 1;
  if (isPrivate) return text.attributes.private;
  const keyword = keywords.value.get(tag);
  return keyword === undefined ? '' : titleOf(keyword);
}

function* linesOf(dataSet: DataSet, depth = 0, prefix = ''): Generator<Line> {
  for (const [tag, element] of Object.entries(dataSet)) {
    if (element === undefined) continue;
    const key = `${prefix}${tag}`;
    yield { key, depth, tag, vr: element.vr, name: nameOfTag(tag), value: valueOf(element) };
    if (element.vr !== 'SQ') continue;
    for (const [at, item] of (element.Value ?? []).entries()) {
      const inner = `${key}.${at}.`;
      const name = text.attributes.item(at + 1);
      yield { key: inner, depth: depth + 1, tag: '', vr: '', name, value: '' };
      if (item !== null && typeof item === 'object' && !isName(item)) {
        yield* linesOf(item, depth + 2, inner);
      }
    }
  }
}

const dashed = (tag: string) => (tag === '' ? '' : `${tag.slice(0, 4)},${tag.slice(4)}`);

export function Attributes({ path }: { readonly path: string }) {
  const [sought, setSought] = useState('');
  const [loaded, retry] = useRequest(path, async (signal) => {
    const response = await request(path, { headers: { Accept: 'application/dicom+json' }, signal });
    return (await response.json()) as DataSet[];
  });
  useEffect(() => void loadKeywords(), []);
  if (loaded.state === 'loading') return <Message title={text.loading} />;
  if (loaded.state === 'failed') {
    return <Message title={loaded.message} tone="error" onRetry={retry} />;
  }
  const needle = sought.trim().toLowerCase();
  const lines = [...linesOf(loaded.value[0] ?? {})].filter(
    ({ tag, name, value }) =>
      needle === '' ||
      [tag, dashed(tag), name, name.replaceAll(' ', ''), value].some((part) =>
        part.toLowerCase().includes(needle),
      ),
  );
  return (
    <div class="attributes">
      <label class="field">
        <span class="field-label">{text.attributes.search}</span>
        <input
          type="search"
          value={sought}
          dir="auto"
          onInput={(event) => setSought(event.currentTarget.value)}
        />
      </label>
      <div class="attributes-scroll" tabIndex={0} role="region" aria-label={text.attributes.title}>
        <table>
          <thead>
            <tr>
              <th scope="col">{text.attributes.tag}</th>
              <th scope="col">{text.attributes.name}</th>
              <th scope="col">{text.attributes.vr}</th>
              <th scope="col">{text.attributes.value}</th>
            </tr>
          </thead>
          <tbody>
            {lines.slice(0, mostLines).map(({ key, depth, tag, vr, name, value }) => (
              <tr key={key}>
                <td class="mono" style={{ paddingInlineStart: `${8 + depth * 12}px` }}>
                  {dashed(tag)}
                </td>
                <td>{name}</td>
                <td class="mono">{vr}</td>
                <td>
                  <bdi>{value}</bdi>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {lines.length === 0 && <p class="faint">{text.attributes.none}</p>}
        {lines.length > mostLines && (
          <p class="faint">{text.attributes.truncated(lines.length - mostLines)}</p>
        )}
      </div>
    </div>
  );
}
