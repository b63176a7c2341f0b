/**
 * Search for patients: an extension of QIDO-RS, for those who look for a person and not for a study. A
 * patient is a PatientID; what it shows is that of the patient's study stored last, and counts of all.
 */
import { attribute } from '../../dicom/attribute.js';
import { vrOf } from '../../dicom/dictionary.js';
import type { DataSet, Element } from '../../dicom/data-set.js';
import type { Tag } from '../../dicom/tag.js';
import { invalidParameter } from '../../http/query-string.js';
import { reply } from '../../http/reply.js';
import { chunksOfSize, groupBy } from '../../group-by.js';
import type { StudyRecord } from '../../storage/archive/records.js';
import { tableLimits } from '../../storage/table-store.js';
import { chooseRepresentation } from '../negotiation.js';
import { answering, type RequestContext } from '../route.js';
import { nameOf } from './match/demand.js';
import { pageHeaders } from './page-headers.js';
import { parseSearch, type Search, searchParameters } from './parse-search.js';
import { renderResults, searchOffers } from './results/search-representations.js';
import { allToOrder, type SearchPage } from './search-page.js';
import { Effort } from './walk/effort.js';
import type { ChosenIndex } from './walk/choose-index.js';
import { indexInOrder } from './walk/ordered-studies.js';
import {
  patientCount,
  patientCounts,
  patientIdOf,
  studiesOfPatient,
  type PatientStudies,
} from './walk/patient-studies.js';
import { startOf } from './walk/place.js';
import { studyReader } from './walk/studies-of-hits.js';
import { isConfirmed, walkIndex, type OrderedHit, type SearchContext } from './walk/walk.js';

/** What is matched and shown of a patient. */
export const patientAttributes: readonly Tag[] = [
  'PatientID',
  'IssuerOfPatientID',
  'OtherPatientIDs',
  'PatientName',
  'PatientBirthDate',
  'PatientSex',
].map(attribute);

const route = { level: 'study', levels: ['study'] } as const;
const byPatientId = { tag: attribute('PatientID'), descending: false } as const;

interface PatientPage extends Pick<SearchPage, 'next' | 'rest' | 'offset'> {
  readonly patients: readonly PatientStudies[];
}

/** The patients with matching studies, of which there are at most 5000. */
async function narrowed(context: RequestContext, search: Search): Promise<PatientPage> {
  const { offset, limit } = search;
  const found = await allToOrder(context, route, search, {});
  if (typeof found === 'string') throw invalidParameter('PatientID', found);
  const ids = new Set(
    found.map(({ study }) => patientIdOf(study)).filter((id) => id !== undefined),
  );
  const shown = [...ids].sort().slice(offset, offset + limit);
  const patients = await Promise.all(shown.map(async (id) => await studiesOfPatient(context, id)));
  const rest = ids.size > offset + limit ? 'more' : 'none';
  return { patients, next: undefined, rest, offset: 0 };
}

/** Index rows that one page reads the studies of at most; what a patient has beyond that is not counted. */
const mostHits = 2000;

/** All patients, in the order of the index of PatientID, where the studies of one follow each other. */
async function walked(context: RequestContext, search: Search): Promise<PatientPage> {
  const { after, offset, limit } = search;
  const index = indexInOrder(byPatientId);
  if (index === undefined) throw new RangeError('PatientID has no index');
  const withEffort = { ...context, effort: new Effort() };
  const groups = new Map<string, OrderedHit[]>();
  let [read, passed] = [0, 0];
  let value: string | undefined;
  let end: Pick<PatientPage, 'next' | 'rest' | 'offset'> = noMore;
  let place = after;
  for await (const hit of walkIndex(
    withEffort,
    index,
    tableLimits.pageRows,
    startOf(after.outer, false),
  )) {
    const [own = ''] = hit.values;
    if (own !== value) {
      const isFull = groups.size === limit || read >= mostHits;
      if (isFull || withEffort.effort.spent) {
        end = { next: place, rest: isFull ? 'more' : 'unfinished', offset: offset - passed };
        break;
      }
      value = own;
      if (passed < offset) passed++;
      else groups.set(own, []);
    }
    place = { outer: hit.key };
    groups.get(own)?.push(hit);
    if (groups.has(own)) read++;
  }
  return { patients: await patientsOf(withEffort, index, [...groups.values()]), ...end };
}

const noMore = { next: undefined, rest: 'none', offset: 0 } as const;

/** Studies that are read at once. */
const atOnce = 128;

/**
 * The patients of index rows, of which each group has one value. Patients whose PatientIDs differ in letter
 * case only share a value.
 */
async function patientsOf(
  context: SearchContext,
  index: ChosenIndex,
  groups: readonly (readonly OrderedHit[])[],
): Promise<readonly PatientStudies[]> {
  const read = studyReader(context, index);
  const confirmed = new Map<OrderedHit, StudyRecord>();
  const hits = groups.flatMap((group) => group.slice(0, mostHits));
  for (const some of chunksOfSize(hits, atOnce)) {
    const studies = await read(some);
    for (const [position, hit] of some.entries()) {
      const study = studies[position];
      if (study !== undefined && isConfirmed(index, hit, study)) confirmed.set(hit, study);
    }
  }
  return groups.flatMap((group) => {
    const studies = group.flatMap((hit) => confirmed.get(hit) ?? []);
    const isWhole = group.length <= mostHits;
    return [...groupBy(studies, (study) => patientIdOf(study) ?? '').values()].map((own) => {
      return { studies: own, isWhole };
    });
  });
}

/** What is shown of a patient, by the newest study. */
function patientOf(patient: PatientStudies): DataSet | undefined {
  const [newest] = patient.studies;
  if (newest === undefined) return undefined;
  const result: Record<Tag, Element> = {};
  for (const tag of patientAttributes) {
    result[tag] = newest.attributes[tag] ?? { vr: vrOf(tag) ?? 'UN' };
  }
  for (const tag of patientCounts) {
    const count = patientCount(tag, patient);
    if (count !== undefined) result[tag] = count;
  }
  return result;
}

/** @throws ServiceError `invalid-query` for keys and orders that patients have not. */
function checkSearch({ predicates, ordering, total }: Search): void {
  for (const { key } of predicates) {
    if (!patientAttributes.includes(key.tag)) {
      throw invalidParameter(nameOf(key), 'It is no attribute of patients.');
    }
  }
  const isOrder =
    ordering === undefined ||
    (ordering.tag === byPatientId.tag && !ordering.descending && ordering.then === undefined);
  if (!isOrder) throw invalidParameter('orderby', 'Patients come in the order of PatientID.');
  if (total) throw invalidParameter('includetotal', 'Patients are not counted.');
}

/** `GET patients`. */
export const searchForPatients = answering(
  { answers: searchOffers, query: searchParameters },
  async (context) => {
    const { request, profile } = context;
    const { offer } = chooseRepresentation(request, searchOffers);
    const url = new URL(request.url);
    const search = parseSearch(url, route, false, profile.search);
    checkSearch(search);
    const page =
      search.predicates.length > 0
        ? await narrowed(context, search)
        : await walked(context, search);
    const results = page.patients.flatMap((patient) => patientOf(patient) ?? []);
    const headers = pageHeaders(context, url, search, page, undefined);
    if (results.length === 0 && page.rest === 'none' && profile.search.emptyStatus === 204) {
      return reply(null, { status: 204, headers });
    }
    const { contentType, body } = renderResults(offer, results);
    return reply(body, { headers: { ...headers, 'Content-Type': contentType } });
  },
);
