import { describe, expect, it } from '@jest/globals';
import { ps318 } from '../../../src/dicomweb/profile.js';
import type { Refusal } from '../../../src/dicomweb/store/receive-instance.js';
import { storeResponse } from '../../../src/dicomweb/store/store-response.js';
import { countedTurns } from '../../support/counted-turns.js';

describe('storeResponse', () => {
  it.each(['application/dicom+json', 'application/dicom+xml'])(
    'lets others have their turns while it writes thousands of refusals as %s',
    async (mediaType) => {
      const refused: Refusal = {
        kind: 'refused',
        reason: 'cannot-understand',
        code: 'not-dicom',
        claimed: {},
        comments: ['The part is no DICOM file.'],
      };
      const outcomes = Array.from({ length: 5000 }, () => refused);
      const context = { baseUrl: 'http://localhost', profile: ps318 };
      let text = '';
      const turns = await countedTurns(async () => {
        const { status, body } = await storeResponse(context, outcomes, undefined, mediaType);
        expect(status).toBe(409);
        text = Buffer.from(body as Uint8Array).toString();
      });
      expect(turns).toBeGreaterThan(250);
      expect(text.split('The part is no DICOM file.')).toHaveLength(5001);
    },
  );
});
