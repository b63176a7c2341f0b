/** The Native DICOM Model (PS3.19 §A.1): a data set as XML, which some clients still ask for. */
import type { DataSet, Element, PersonName, Value } from './data-set.js';
import { keywordOf } from './dictionary.js';
import { isPrivate, tagFrom, type Tag } from './tag.js';
import { isPersonName, stringOf } from './value.js';

type Pieces = Generator<string, void, undefined>;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/** Text for content and attributes; characters that XML 1.0 cannot carry become U+FFFD. */
function escape(text: string): string {
  return text
    .replace(/[&<>"\r]/g, (character) => escapes[character] ?? character)
    .replace(/[^\t\n\r\x20-\uFFFD]/g, '\uFFFD');
}

const nameComponents = ['FamilyName', 'GivenName', 'MiddleName', 'NamePrefix', 'NameSuffix'];

function group(name: string, text: string | undefined): string {
  if (text === undefined) return '';
  const components = text.split('^').map((component, position) => {
    const element = nameComponents[position];
    const isThere = element !== undefined && component !== '';
    return isThere ? `<${element}>${escape(component)}</${element}>` : '';
  });
  return `<${name}>${components.join('')}</${name}>`;
}

function personName({ Alphabetic, Ideographic, Phonetic }: PersonName, number: number): string {
  const groups =
    group('Alphabetic', Alphabetic) +
    group('Ideographic', Ideographic) +
    group('Phonetic', Phonetic);
  return `<PersonName number="${number}">${groups}</PersonName>`;
}

function valueXml(value: Value, number: number): string {
  if (value === null) return '';
  if (typeof value !== 'object')
    return `<Value number="${number}">${escape(String(value))}</Value>`;
  if (isPersonName(value)) return personName(value, number);
  return `<Item number="${number}">${[...attributePieces(value)].join('')}</Item>`;
}

function* contentPieces({ Value: values = [], InlineBinary, BulkDataURI }: Element): Pieces {
  if (BulkDataURI !== undefined) yield `<BulkData uri="${escape(BulkDataURI)}"/>`;
  else if (InlineBinary !== undefined) yield `<InlineBinary>${InlineBinary}</InlineBinary>`;
  else for (const [position, value] of values.entries()) yield valueXml(value, position + 1);
}

/** The creator of the block that a private attribute stands in (PS3.5 §7.8.1). */
function creatorOf(tag: Tag, dataSet: DataSet): string | undefined {
  if (!isPrivate(tag)) return undefined;
  const element = Number.parseInt(tag.slice(4), 16);
  return stringOf(dataSet, tagFrom(Number.parseInt(tag.slice(0, 4), 16), element >> 8));
}

function* attributePieces(dataSet: DataSet): Pieces {
  const tags = Object.keys(dataSet).sort() as Tag[];
  for (const tag of tags) {
    const element = dataSet[tag];
    if (element === undefined) continue;
    const keyword = keywordOf(tag);
    const creator = creatorOf(tag, dataSet);
    const names =
      (keyword === undefined ? '' : ` keyword="${keyword}"`) +
      (creator === undefined ? '' : ` privateCreator="${escape(creator)}"`);
    yield `<DicomAttribute tag="${tag}" vr="${element.vr}"${names}>`;
    yield* contentPieces(element);
    yield '</DicomAttribute>';
  }
}

/** A data set as a Native DICOM Model document (PS3.19 §A.1), in UTF-8. */
export function toNativeXml(dataSet: DataSet): string {
  return [...nativeXmlPieces(dataSet)].join('');
}

/** What `toNativeXml` writes, each value and each item of the data set itself in a piece of its own. */
export function* nativeXmlPieces(dataSet: DataSet): Pieces {
  yield (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">'
  );
  yield* attributePieces(dataSet);
  yield '</NativeDicomModel>';
}
