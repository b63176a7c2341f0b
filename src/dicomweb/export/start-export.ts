/** The request for an export, as in the Microsoft server: judged whole, tried on the destination, then a job. */
import { ServiceError } from '../../errors.js';
import { newJobId } from '../../jobs/job.js';
import type { DestinationSettings } from '../../storage/export-destinations.js';
import { invalidMember, objectAt, readJsonBody, textAt, type JsonObject } from '../json-body.js';
import { startedOperation } from '../operations/operation-url.js';
import { answering } from '../route.js';
import { errorLogName, type ExportInput, type ExportState } from './export-job.js';
import { parseIdentifier, type Identifier } from './export-targets.js';
import { jsonOffers } from '../negotiation.js';

interface Chosen {
  readonly type: string;
  readonly settings: JsonObject;
}

/** A `source` or `destination`, whose `type` must be one that there is. */
function chosenIn(
  body: JsonObject,
  name: 'source' | 'destination',
  types: readonly string[],
): Chosen {
  const path = name === 'source' ? 'Source' : 'Destination';
  const value = body.get(name) ?? undefined;
  if (value === undefined) throw invalidMember(path, `The ${path} field is required.`);
  const options = objectAt(value, path);
  const given = textAt(options, 'type', path);
  const type = types.find((one) => one.toLowerCase() === given?.toLowerCase());
  if (type === undefined) {
    const known = types.map((one) => `'${one}'`).join(', ');
    throw invalidMember(
      `$.${name}.type`,
      `Expected value '${given ?? ''}' to be one of the following values: [${known}]`,
    );
  }
  const settings = options.get('settings') ?? undefined;
  return {
    type,
    settings: settings === undefined ? new Map() : objectAt(settings, `${path}.Settings`),
  };
}

function identifiersOf(settings: JsonObject): readonly Identifier[] {
  const values = settings.get('values');
  if (!Array.isArray(values) || values.length === 0) {
    throw new ServiceError('invalid-body', "Missing value for property 'Values'.");
  }
  return values.map((value: unknown) => {
    const identifier = typeof value === 'string' ? parseIdentifier(value) : undefined;
    if (identifier !== undefined) return identifier;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    throw new ServiceError(
      'invalid-body',
      `The string '${text}' was not recognized as a valid DICOM identifier.`,
    );
  });
}

function refused(text: string): ServiceError {
  return new ServiceError('destination-refused', text, { parameter: 'destination' });
}

function destinationOf(settings: JsonObject): DestinationSettings {
  const path = 'Destination.Settings';
  const blobContainerUri = textAt(settings, 'blobContainerUri', path);
  const connectionString = textAt(settings, 'connectionString', path);
  const blobContainerName = textAt(settings, 'blobContainerName', path);
  const useManagedIdentity = settings.get('usemanagedidentity') === true;
  if (blobContainerUri !== undefined) {
    if (connectionString !== undefined || blobContainerName !== undefined) {
      throw refused(
        'ConnectionString and BlobContainerName cannot be specified along with BlobContainerUri.',
      );
    }
    return { blobContainerUri, useManagedIdentity };
  }
  if (connectionString === undefined || blobContainerName === undefined) {
    throw refused('Please specify both ConnectionString and BlobContainerName.');
  }
  if (useManagedIdentity) {
    throw refused('Managed identity cannot be used with a ConnectionString.');
  }
  return { connectionString, blobContainerName };
}

/**
 * `POST export`: begins to export studies, series and instances, or everything, into a container. 202 with the URL
 * of the operation.
 *
 * @throws ServiceError `invalid-body`, `unsupported-media-type`, `destination-refused`,
 *   `storage-unavailable`.
 */
export const startExport = answering(
  { answers: jsonOffers, takes: jsonOffers },
  async (context) => {
    const { services, partition, profile } = context;
    const body = objectAt(await readJsonBody(context), '$');
    const source = chosenIn(body, 'source', profile.operations.exportSources);
    const target = chosenIn(body, 'destination', ['azureBlob']);
    const identifiers =
      source.type === 'everything' ? {} : { identifiers: identifiersOf(source.settings) };
    const settings = destinationOf(target.settings);
    const destination = await services.exports.open(settings);
    const id = newJobId();
    const log = errorLogName(id);
    await destination.prepare(log);
    const state: ExportState = {
      at: 0,
      exported: 0,
      skipped: 0,
      errorHref: destination.urlOf(log),
    };
    const input: ExportInput = { partition, ...identifiers, destination: settings };
    await services.jobs.start('export', JSON.stringify(input), JSON.stringify(state), {
      id,
      partition,
    });
    return startedOperation(context, id);
  },
);
