/** How metadata is shown by each profile. */

export interface RetrievePolicy {
  /** Binary values: named by BulkDataURI or inline as PS3.18 asks, or left out as Microsoft does. */
  readonly bulkData: 'named' | 'omitted';
  /** JSON is UTF-8 whatever the file was: SpecificCharacterSet then says so (PS3.18 §F.2). */
  readonly characterSet: 'utf-8' | 'as-stored';
  /** RFC 9110 quotes entity tags; the Microsoft server does not. */
  readonly quotedETags: boolean;
}

export const standardRetrievePolicy: RetrievePolicy = {
  bulkData: 'named',
  characterSet: 'utf-8',
  quotedETags: true,
};

export const microsoftRetrievePolicy: RetrievePolicy = {
  bulkData: 'omitted',
  characterSet: 'as-stored',
  quotedETags: false,
};
