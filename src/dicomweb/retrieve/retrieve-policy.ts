/** How metadata is shown by each profile. */

export interface RetrievePolicy {
  /** Binary values: named by BulkDataURI or inline as PS3.18 asks, or left out as Microsoft does. */
  readonly bulkData: 'named' | 'omitted';
  /** JSON is UTF-8 whatever the file was: SpecificCharacterSet then says so (PS3.18 §F.2). */
  readonly characterSet: 'utf-8' | 'as-stored';
  /** RFC 9110 quotes entity tags; the Microsoft server does not. */
  readonly quotedETags: boolean;
  /** Several frames asked for as a single part: not to be had so, or a bad request as Microsoft has it. */
  readonly severalFramesAlone: 'not-acceptable' | 'invalid-frame-list';
}

export const standardRetrievePolicy: RetrievePolicy = {
  bulkData: 'named',
  characterSet: 'utf-8',
  quotedETags: true,
  severalFramesAlone: 'not-acceptable',
};

export const microsoftRetrievePolicy: RetrievePolicy = {
  bulkData: 'omitted',
  characterSet: 'as-stored',
  quotedETags: false,
  severalFramesAlone: 'invalid-frame-list',
};
