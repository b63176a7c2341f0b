/** The schemas of the bodies of extended query tags, as in the Microsoft server. */
import { indexableVRs } from '../../storage/archive/index/query-tags.js';
import { listOf, moment, object, operationId, text, uid, url, whole } from './schema-words.js';
import type { Schema } from './schema-words.js';

const vr: Schema = { type: 'string', enum: [...indexableVRs] };
const path: Schema = {
  type: 'string',
  pattern: '^[0-9A-F]{8}$',
  description: 'The tag as hex digits.',
};
const root = 'https://dicom.example.org';
const id = '0f8fad5bd9cb469fa16570867728950e';

export const queryTagSchemas = {
  NewQueryTag: {
    description:
      'An attribute that is to be indexed; the VR is that of the dictionary when left out.',
    ...object(
      {
        path: { type: 'string', description: 'A keyword, or eight hex digits.' },
        level: { type: 'string', enum: ['Study', 'Series', 'Instance'] },
      },
      { vr, privateCreator: { ...text, maxLength: 64 } },
    ),
    examples: [
      { path: 'PatientBirthName', level: 'Study' },
      { path: '00091001', vr: 'SH', privateCreator: 'ACME', level: 'Instance' },
    ],
  },
  NewQueryTags: {
    description: 'Attributes that are to be indexed, by one operation.',
    ...listOf('NewQueryTag'),
    minItems: 1,
    maxItems: 128,
    examples: [[{ path: 'PatientBirthName', level: 'Study' }]],
  },
  QueryTag: {
    description:
      'An attribute that is indexed, or about to be. The operation is there while it is being added.',
    ...object(
      {
        path,
        vr,
        level: { type: 'string', enum: ['study', 'series', 'instance'] },
        status: { type: 'string', enum: ['adding', 'ready', 'deleting'] },
        queryStatus: { type: 'string', enum: ['enabled', 'disabled'] },
      },
      {
        privateCreator: text,
        errors: object({ count: whole, href: url }),
        operation: object({ id: operationId, href: url }),
      },
    ),
    examples: [
      {
        path: '00101005',
        vr: 'PN',
        level: 'study',
        status: 'adding',
        operation: { id, href: `${root}/operations/${id}` },
        queryStatus: 'enabled',
      },
      {
        path: '00091001',
        vr: 'SH',
        privateCreator: 'ACME',
        level: 'instance',
        status: 'ready',
        errors: { count: 2, href: `${root}/extendedquerytags/00091001/errors` },
        queryStatus: 'disabled',
      },
    ],
  },
  QueryTags: {
    description: 'Attributes that are indexed, in order of creation.',
    ...listOf('QueryTag'),
    examples: [
      [
        {
          path: '00101005',
          vr: 'PN',
          level: 'study',
          status: 'ready',
          queryStatus: 'enabled',
        },
      ],
    ],
  },
  QueryTagChange: {
    description: 'Whether searches may use it.',
    ...object({ queryStatus: { type: 'string', enum: ['Enabled', 'Disabled'] } }),
    additionalProperties: false,
    examples: [{ queryStatus: 'Enabled' }],
  },
  QueryTagError: {
    description: 'An instance whose value could not be indexed, and why.',
    ...object(
      {
        studyInstanceUid: uid,
        seriesInstanceUid: uid,
        sopInstanceUid: uid,
        createdTime: moment,
        errorMessage: text,
      },
      { partitionName: text },
    ),
    examples: [
      {
        studyInstanceUid: '1.2.826.0.1.3680043.8.498.1',
        seriesInstanceUid: '1.2.826.0.1.3680043.8.498.1.1',
        sopInstanceUid: '1.2.826.0.1.3680043.8.498.1.1.1',
        createdTime: '2026-01-01T12:00:00.0000000Z',
        errorMessage: 'Value length exceeds maximum length.',
      },
    ],
  },
  QueryTagErrors: {
    description: 'Instances whose values could not be indexed, the oldest errors first.',
    ...listOf('QueryTagError'),
    examples: [[]],
  },
} as const satisfies Readonly<Record<string, Schema>>;
