/** A structured report as a page: its content tree as nested lists (PS3.3 §C.17.3). */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet } from '../../../dicom/data-set.js';
import type { Tag } from '../../../dicom/tag.js';
import { itemsOf, stringOf, stringsOf } from '../../../dicom/value.js';
import { escapeHtml, htmlPage } from './html.js';

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

/** The lists of one tree; counts its items as it goes. */
function treeWriter(): (item: DataSet, depth: number) => string {
  let written = 0;
  const write = (item: DataSet, depth: number): string => {
    const items = itemsOf(item, tags.content);
    if (items.length === 0) return '';
    if (depth >= deepest) return '<p>Deeper content is left out.</p>';
    const lines: string[] = [];
    for (const child of items) {
      if (++written > mostItems) {
        lines.push('<li>Further content is left out.</li>');
        break;
      }
      lines.push(`<li>${label(child)}${write(child, depth + 1)}</li>`);
    }
    return `<ul>${lines.join('\n')}</ul>`;
  };
  return write;
}

function label(item: DataSet): string {
  const path = stringsOf(item, tags.identifier);
  if (path.length > 0) return escapeHtml(`See item ${path.join('.')}`);
  const name = codeOf(item, tags.conceptName);
  const type = stringOf(item, tags.valueType)?.trim() ?? '';
  const value = values[type]?.(item) ?? '';
  const shownName = name === '' ? '' : `<b>${escapeHtml(name)}</b>`;
  if (value === '') return shownName === '' ? escapeHtml(type) : shownName;
  return `${shownName}${shownName === '' ? '' : ': '}<span class="v">${escapeHtml(value)}</span>`;
}

/** The page of a report. */
export function reportPage(dataSet: DataSet): string {
  const title = codeOf(dataSet, tags.conceptName);
  const facts = header.flatMap(([name, tag]) => {
    const value = stringOf(dataSet, tag)?.trim() ?? '';
    return value === '' ? [] : [`<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`];
  });
  const tree = treeWriter()(dataSet, 0);
  return htmlPage(title === '' ? 'Report' : title, `<dl>${facts.join('\n')}</dl>\n${tree}`);
}
