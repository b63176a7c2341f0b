/** The UIDs in the path of a request. */
import {
  parseUid,
  type InstanceUids,
  type SeriesInstanceUID,
  type SOPInstanceUID,
  type StudyInstanceUID,
  type Uid,
} from '../dicom/uid.js';
import { ServiceError } from '../errors.js';

type Params = Readonly<Record<string, string>>;

function checked<U extends Uid>(uid: U | undefined, name: string): U {
  if (uid !== undefined) return uid;
  throw new ServiceError(
    'invalid-uid',
    `The ${name} UID in the path is invalid: a UID is 1 to 64 digits and periods and ends in a digit.`,
    { parameter: name },
  );
}

/** @throws ServiceError `invalid-uid` naming the path parameter. */
export function studyOf(params: Params): Pick<InstanceUids, 'study'> {
  return { study: checked(parseUid<StudyInstanceUID>(params['study'] ?? ''), 'study') };
}

/** @throws ServiceError `invalid-uid` naming the path parameter. */
export function seriesOf(params: Params): Pick<InstanceUids, 'study' | 'series'> {
  return {
    ...studyOf(params),
    series: checked(parseUid<SeriesInstanceUID>(params['series'] ?? ''), 'series'),
  };
}

/** @throws ServiceError `invalid-uid` naming the path parameter. */
export function instanceOf(params: Params): InstanceUids {
  return {
    ...seriesOf(params),
    instance: checked(parseUid<SOPInstanceUID>(params['instance'] ?? ''), 'instance'),
  };
}

/** The path of a study, series or instance below the base URL, with a leading slash. */
export function resourcePath({
  study,
  series,
  instance,
}: Pick<InstanceUids, 'study'> & Partial<InstanceUids>): string {
  const ofSeries = series === undefined ? '' : `/series/${series}`;
  const ofInstance = instance === undefined ? '' : `/instances/${instance}`;
  return `/studies/${study}${ofSeries}${ofInstance}`;
}
