/** The content tree of a structured report (PS3.3 §C.17.3), read once for all that it is shown as. */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet } from '../../../dicom/data-set.js';
import type { Tag } from '../../../dicom/tag.js';
import { itemsOf, stringOf, stringsOf } from '../../../dicom/value.js';

const tags = {
  content: attribute('ContentSequence'),
  valueType: attribute('ValueType'),
  conceptName: attribute('ConceptNameCodeSequence'),
  conceptCode: attribute('ConceptCodeSequence'),
  meaning: attribute('CodeMeaning'),
  measured: attribute('MeasuredValueSequence'),
  numeric: attribute('NumericValue'),
  units: attribute('MeasurementUnitsCodeSequence'),
  unitCode: attribute('CodeValue'),
  qualifier: attribute('NumericValueQualifierCodeSequence'),
  referenced: attribute('ReferencedSOPSequence'),
  referencedInstance: attribute('ReferencedSOPInstanceUID'),
  referencedFrames: attribute('ReferencedFrameNumber'),
  graphicType: attribute('GraphicType'),
  graphicData: attribute('GraphicData'),
  temporalRange: attribute('TemporalRangeType'),
  identifier: attribute('ReferencedContentItemIdentifier'),
} as const;

/** More than any report has; an end to what hostile ones cost. */
const deepest = 64;
const mostItems = 20_000;
const mostNumbers = 200;

/** What is said above the tree: label and attribute. */
const header: readonly (readonly [label: string, tag: Tag])[] = [
  ['Patient', attribute('PatientName')],
  ['Patient ID', attribute('PatientID')],
  ['Birth date', attribute('PatientBirthDate')],
  ['Study date', attribute('StudyDate')],
  ['Accession number', attribute('AccessionNumber')],
  ['Content date', attribute('ContentDate')],
  ['Completion', attribute('CompletionFlag')],
  ['Verification', attribute('VerificationFlag')],
];

function codeOf(item: DataSet, sequence: Tag): string {
  const [code] = itemsOf(item, sequence);
  return code === undefined
    ? ''
    : (stringOf(code, tags.meaning) ?? stringOf(code, tags.unitCode) ?? '');
}

function measured(item: DataSet): string {
  const [value] = itemsOf(item, tags.measured);
  if (value === undefined) return codeOf(item, tags.qualifier);
  const units = codeOf(value, tags.units);
  return [stringsOf(value, tags.numeric).join(', '), units].filter(Boolean).join(' ');
}

function reference(item: DataSet): string {
  return itemsOf(item, tags.referenced)
    .map((one) => {
      const frames = stringsOf(one, tags.referencedFrames).join(', ');
      const uid = stringOf(one, tags.referencedInstance) ?? '';
      return frames === '' ? uid : `${uid}, frames ${frames}`;
    })
    .join('; ');
}

function coordinates(item: DataSet): string {
  const numbers = stringsOf(item, tags.graphicData);
  const shown = numbers.slice(0, mostNumbers).join(' ');
  const rest = numbers.length > mostNumbers ? ' …' : '';
  return `${stringOf(item, tags.graphicType) ?? ''} ${shown}${rest}`.trim();
}

const attributeText = (keyword: string) => {
  const tag = attribute(keyword);
  return (item: DataSet): string => stringsOf(item, tag).join(', ');
};

/** How the value of each type of content item is told (PS3.3 table C.17.3-7). */
const values: Readonly<Record<string, (item: DataSet) => string>> = {
  TEXT: attributeText('TextValue'),
  DATETIME: attributeText('DateTime'),
  DATE: attributeText('Date'),
  TIME: attributeText('Time'),
  PNAME: attributeText('PersonName'),
  UIDREF: attributeText('UID'),
  CODE: (item) => codeOf(item, tags.conceptCode),
  NUM: measured,
  IMAGE: reference,
  COMPOSITE: reference,
  WAVEFORM: reference,
  SCOORD: coordinates,
  SCOORD3D: coordinates,
  TCOORD: (item) => stringOf(item, tags.temporalRange) ?? '',
};

/** What is said of a content item: its name, its value, or, where there is neither, something in their place. */
export interface ItemLabel {
  readonly name: string;
  readonly value: string;
  readonly other: string;
}

/** How a tree is written down. */
export interface ReportWriter {
  item(label: ItemLabel, below: string, depth: number): string;
  /** The items below one. */
  list(items: readonly string[]): string;
  /** In place of items, or of one of them, that would be too many or too deep. */
  leftOut(what: string, as: 'list' | 'item', depth: number): string;
}

function labelOf(item: DataSet): ItemLabel {
  const path = stringsOf(item, tags.identifier);
  if (path.length > 0) return { name: '', value: '', other: `See item ${path.join('.')}` };
  const type = stringOf(item, tags.valueType)?.trim() ?? '';
  const value = values[type]?.(item) ?? '';
  return { name: codeOf(item, tags.conceptName), value, other: type };
}

/** Writes what is below an item, the items of all depths counted. */
export function writeTree(root: DataSet, writer: ReportWriter): string {
  let written = 0;
  const write = (item: DataSet, depth: number): string => {
    const items = itemsOf(item, tags.content);
    if (items.length === 0) return '';
    if (depth >= deepest) return writer.leftOut('Deeper content is left out.', 'list', depth);
    const lines: string[] = [];
    for (const child of items) {
      if (++written > mostItems) {
        lines.push(writer.leftOut('Further content is left out.', 'item', depth));
        break;
      }
      lines.push(writer.item(labelOf(child), write(child, depth + 1), depth));
    }
    return writer.list(lines);
  };
  return write(root, 0);
}

/** The title of a report, and what is said above its tree. */
export function reportHead(dataSet: DataSet): {
  readonly title: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
} {
  const title = codeOf(dataSet, tags.conceptName);
  const facts = header.flatMap(([name, tag]) => {
    const value = stringOf(dataSet, tag)?.trim() ?? '';
    return value === '' ? [] : [[name, value] as const];
  });
  return { title: title === '' ? 'Report' : title, facts };
}
