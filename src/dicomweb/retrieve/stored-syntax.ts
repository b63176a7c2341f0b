/** The transfer syntax in which an instance is stored. */
import { transferSyntaxOf, type TransferSyntax } from '../../dicom/transfer-syntax.js';
import { ServiceError } from '../../errors.js';
import type { InstanceRecord } from '../../storage/archive/records.js';

/** @throws ServiceError `storage-corrupt` for a row whose transfer syntax is no UID. */
export function storedSyntax({ transferSyntax }: InstanceRecord): TransferSyntax {
  const syntax = transferSyntaxOf(transferSyntax);
  if (syntax === undefined) {
    throw new ServiceError('storage-corrupt', 'An instance row has no valid transfer syntax.');
  }
  return syntax;
}
