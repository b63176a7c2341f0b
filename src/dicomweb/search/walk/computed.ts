/** Attributes that no file carries: computed from the rows of the catalog (PS3.18 §10.6.3.3). */
import { attribute } from '../../../dicom/attribute.js';
import type { Element } from '../../../dicom/data-set.js';
import type { Tag } from '../../../dicom/tag.js';
import { modalitiesElement } from '../../../storage/archive/tallies.js';
import type {
  InstanceRecord,
  SeriesRecord,
  StudyRecord,
} from '../../../storage/archive/records.js';
import { resourcePath } from '../../path-uids.js';

function count(value: number): Element {
  return { vr: 'IS', Value: [value] };
}

function url(baseUrl: string, uids: Parameters<typeof resourcePath>[0]): Element {
  return { vr: 'UR', Value: [baseUrl + resourcePath(uids)] };
}

const online: Element = { vr: 'CS', Value: ['ONLINE'] };

/** How an attribute is computed from the row of what a result stands for. */
type Computed<Row> = Readonly<Record<Tag, ((row: Row, baseUrl: string) => Element) | undefined>>;

const ofStudies: Computed<StudyRecord> = {
  [attribute('InstanceAvailability')]: () => online,
  [attribute('ModalitiesInStudy')]: ({ modalities }) => modalitiesElement(modalities),
  [attribute('SOPClassesInStudy')]: ({ sopClasses }) => ({
    vr: 'UI',
    Value: Object.keys(sopClasses).sort(),
  }),
  [attribute('NumberOfStudyRelatedSeries')]: ({ series }) => count(series),
  [attribute('NumberOfStudyRelatedInstances')]: ({ instances }) => count(instances),
  [attribute('RetrieveURL')]: ({ study }, baseUrl) => url(baseUrl, { study }),
};

const ofSeries: Computed<SeriesRecord> = {
  [attribute('InstanceAvailability')]: () => online,
  [attribute('SOPClassUID')]: ({ sopClasses }) => ({
    vr: 'UI',
    Value: Object.keys(sopClasses).sort(),
  }),
  [attribute('NumberOfSeriesRelatedInstances')]: ({ instances }) => count(instances),
  [attribute('RetrieveURL')]: ({ study, series }, baseUrl) => url(baseUrl, { study, series }),
};

const ofInstances: Computed<InstanceRecord> = {
  [attribute('InstanceAvailability')]: () => online,
  [attribute('AvailableTransferSyntaxUID')]: ({ transferSyntax }) => ({
    vr: 'UI',
    Value: [transferSyntax],
  }),
  [attribute('RetrieveURL')]: (uids, baseUrl) => url(baseUrl, uids),
};

/** An attribute of a study, computed or as stored. */
export function studyElement(record: StudyRecord, tag: Tag, baseUrl = ''): Element | undefined {
  return ofStudies[tag]?.(record, baseUrl) ?? record.attributes[tag];
}

/** An attribute of a series, computed or as stored. */
export function seriesElement(record: SeriesRecord, tag: Tag, baseUrl = ''): Element | undefined {
  return ofSeries[tag]?.(record, baseUrl) ?? record.attributes[tag];
}

/** An attribute that is computed for an instance. */
export function instanceElement(
  record: InstanceRecord,
  tag: Tag,
  baseUrl = '',
): Element | undefined {
  return ofInstances[tag]?.(record, baseUrl);
}
