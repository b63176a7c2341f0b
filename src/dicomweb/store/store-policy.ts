/**
 * What each profile demands of a data set before it is stored (docs/conformance.md, "Store"):
 * policies as values, applied by one function.
 */
import { attribute } from '../../dicom/attribute.js';
import { decodeText } from '../../dicom/text/character-set.js';
import { characterSetWithin } from '../../dicom/raw-value.js';
import type { RawDataSet } from '../../dicom/raw-data-set.js';
import type { Tag } from '../../dicom/tag.js';
import {
  hasText,
  missingMessage,
  requiredUids,
  validateAll,
  validateMinimum,
  validateRequiredUids,
  validateVR,
  type ValidationFailure,
} from '../../dicom/validate.js';
import { placeOfTag, type QueryTag } from '../../storage/archive/index/query-tags.js';
import { microsoftQueryTags } from '../microsoft-query-tags.js';

export interface StorePolicy {
  /** PatientID must have a value, must be present though it may be empty, or may be missing. */
  readonly patientID: 'value' | 'present' | 'optional';
  /** Attributes whose invalid value refuses the instance. */
  readonly refuseInvalid: readonly Tag[];
  /** Whether an invalid value for an extended query tag, or one of another VR, refuses the instance too. */
  readonly refuseInvalidQueryTags: boolean;
  /** What nulls at the end of these are. */
  readonly trailingNulls: 'padding' | 'invalid';
  /** Whether the VR in the file must be that of the dictionary for attributes that can refuse. */
  readonly checkVR: boolean;
  /** Every other invalid value is a warning, and its attribute stays out of metadata and search. */
  readonly warnInvalid: boolean;
  /** Implicit VR data sets get the warning of the Microsoft server. */
  readonly warnImplicitVR: boolean;
  /** Which column of the reason codes is sent. */
  readonly reasonCodes: 'standard' | 'microsoft';
  /** A body that is no DICOM file, where it is not one of several parts: a bad request, or an instance that fails. */
  readonly loneBody: 'bad-request' | 'failed-instance';
  /** Stored with a warning: 202 instead of 200. */
  readonly warningStatus: 200 | 202;
  /** Items of stored instances list their failed attributes even when there are none. */
  readonly alwaysListFailedAttributes: boolean;
}

const patientID = attribute('PatientID');

export const standardStorePolicy: StorePolicy = {
  patientID: 'optional',
  refuseInvalid: [],
  refuseInvalidQueryTags: false,
  trailingNulls: 'padding',
  checkVR: false,
  warnInvalid: false,
  warnImplicitVR: false,
  reasonCodes: 'standard',
  loneBody: 'bad-request',
  warningStatus: 202,
  alwaysListFailedAttributes: false,
};

export const microsoftV1StorePolicy: StorePolicy = {
  patientID: 'value',
  refuseInvalid: microsoftQueryTags,
  refuseInvalidQueryTags: true,
  trailingNulls: 'invalid',
  checkVR: true,
  warnInvalid: false,
  warnImplicitVR: true,
  reasonCodes: 'microsoft',
  loneBody: 'failed-instance',
  warningStatus: 200,
  alwaysListFailedAttributes: false,
};

export const microsoftV2StorePolicy: StorePolicy = {
  patientID: 'present',
  refuseInvalid: [patientID],
  refuseInvalidQueryTags: false,
  trailingNulls: 'padding',
  checkVR: true,
  warnInvalid: true,
  warnImplicitVR: true,
  reasonCodes: 'microsoft',
  loneBody: 'failed-instance',
  warningStatus: 202,
  alwaysListFailedAttributes: true,
};

/** Attributes that fail: which, and of the first of them why. */
export interface Failures {
  readonly named: readonly ValidationFailure[];
  readonly tags: ReadonlySet<Tag>;
}

export interface Verdict {
  /** Any of these refuses the instance. */
  readonly errors: Failures;
  /** These are stored in the file only. */
  readonly warnings: Failures;
}

/** Failed attributes that an answer names. */
const mostNamed = 200;

/**
 * Judges a data set by a policy (microsoft-compatible rules under /v1 and /v2).
 *
 * @param queryTags - the extended query tags that there are.
 */
export function judge(
  raw: RawDataSet,
  policy: StorePolicy,
  queryTags: readonly QueryTag[] = [],
): Verdict {
  const byTag = new Map(raw.elements.map((element) => [element.tag, element]));
  const characterSet = characterSetWithin(raw);
  const errors = [...validateRequiredUids(raw)];
  const warnings: ValidationFailure[] = [];

  const patient = byTag.get(patientID);
  const missing = { tag: patientID, message: missingMessage(patientID) };
  if (policy.patientID !== 'optional' && !hasText(patient)) {
    if (policy.patientID === 'present' && patient !== undefined) warnings.push(missing);
    else errors.push(missing);
  }

  for (const tag of policy.refuseInvalid) {
    const element = byTag.get(tag);
    if (element === undefined) continue;
    const message = validateMinimum(element, characterSet, policy);
    if (message !== undefined) errors.push({ tag, message });
  }
  if (policy.checkVR) {
    for (const tag of [...requiredUids, patientID, ...policy.refuseInvalid]) {
      const element = byTag.get(tag);
      const message = element && validateVR(element);
      if (message !== undefined) errors.push({ tag, message });
    }
  }
  if (policy.refuseInvalidQueryTags) {
    const namesAt = (at: Tag): readonly string[] => {
      const bytes = byTag.get(at)?.bytes;
      return bytes === undefined ? [] : decodeText(bytes, characterSet, 'LO').split('\\');
    };
    for (const queryTag of queryTags) {
      const place = placeOfTag(queryTag, namesAt);
      const element = place && byTag.get(place);
      if (element === undefined) continue;
      const message =
        validateVR(element, queryTag.vr) ?? validateMinimum(element, characterSet, policy);
      if (message !== undefined) errors.push({ tag: element.tag, message });
    }
  }
  return {
    errors: firstPerTag(errors),
    warnings: firstPerTag(warnings, policy.warnInvalid ? validateAll(raw) : []),
  };
}

function firstPerTag(...lists: readonly Iterable<ValidationFailure>[]): Failures {
  const named: ValidationFailure[] = [];
  const tags = new Set<Tag>();
  for (const list of lists) {
    for (const failure of list) {
      if (tags.has(failure.tag)) continue;
      tags.add(failure.tag);
      if (named.length < mostNamed) named.push(failure);
    }
  }
  return { named, tags };
}
