/** The ICC profile that is put into a picture (PS3.18 §8.3.5.1.5). */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet, Element } from '../../../dicom/data-set.js';
import type { BulkSource } from '../../../dicom/pixel/render/lookup-data.js';
import { srgbProfile } from '../../../dicom/pixel/render/srgb-profile.js';
import { itemsOf } from '../../../dicom/value.js';
import { invalidParameter } from '../../../http/query-string.js';
import type { IccChoice } from './render-query.js';

const iccProfile = attribute('ICCProfile');
const opticalPaths = attribute('OpticalPathSequence');

const signatureAt = 36;
const headerBytes = 128;

/** The profile of the image, or of its first optical path (PS3.3 §C.11.15, §C.8.12.5). */
function elementOf(dataSet: DataSet): Element | undefined {
  return dataSet[iccProfile] ?? itemsOf(dataSet, opticalPaths)[0]?.[iccProfile];
}

async function ownProfile(dataSet: DataSet, bulk: BulkSource): Promise<Uint8Array | undefined> {
  const element = elementOf(dataSet);
  const bytes =
    element?.BulkDataURI === undefined
      ? Buffer.from(element?.InlineBinary ?? '', 'base64')
      : Buffer.from(await bulk(element.BulkDataURI));
  const sound =
    bytes.length >= headerBytes &&
    bytes.toString('latin1', signatureAt, signatureAt + 4) === 'acsp';
  return sound ? bytes : undefined;
}

/**
 * The profile to put in: the image's own, or that of sRGB, which images without one are taken for.
 *
 * @throws ServiceError `invalid-query` for `srgb` of an image in other colours.
 */
export async function iccProfileOf(
  dataSet: DataSet,
  choice: IccChoice,
  bulk: BulkSource,
): Promise<Uint8Array | undefined> {
  if (choice === 'no') return undefined;
  const own = await ownProfile(dataSet, bulk);
  if (choice === 'srgb' && own !== undefined) {
    throw invalidParameter(
      'iccprofile',
      'The image has a profile of its own, and its colours are not converted: ask for yes or no.',
    );
  }
  return own ?? srgbProfile;
}
