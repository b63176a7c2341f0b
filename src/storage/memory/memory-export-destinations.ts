/** Export destinations in memory, for tests: one container for each URI. */
import { ServiceError } from '../../errors.js';
import { allBytes } from '../body.js';
import type {
  DestinationSettings,
  ExportDestination,
  ExportDestinations,
} from '../export-destinations.js';

export class MemoryExportDestinations implements ExportDestinations {
  /** The blobs of each container that is there, by URI and name. */
  readonly containers = new Map<string, Map<string, Buffer>>();
  /** Awaited before every blob is written, so that tests can fail it. */
  beforePut: (name: string) => Promise<void> = async () => await Promise.resolve();
  /** Awaited before lines are added to the log. */
  beforeAppend: (name: string) => Promise<void> = async () => await Promise.resolve();

  async open(settings: DestinationSettings): Promise<ExportDestination> {
    const uri =
      'blobContainerUri' in settings
        ? settings.blobContainerUri
        : `memory:/${settings.blobContainerName}`;
    const blobs = () => {
      const container = this.containers.get(uri);
      if (container !== undefined) return container;
      throw new ServiceError('destination-refused', 'There is no such container.');
    };
    return await Promise.resolve({
      prepare: async (name) => {
        blobs().set(name, Buffer.alloc(0));
        await Promise.resolve();
      },
      put: async (name, body) => {
        await this.beforePut(name);
        blobs().set(name, await allBytes(body));
      },
      append: async (name, lines) => {
        await this.beforeAppend(name);
        const before = blobs().get(name) ?? Buffer.alloc(0);
        blobs().set(name, Buffer.concat([before, Buffer.from(lines)]));
      },
      urlOf: (name) => `${uri}/${name}`,
    });
  }
}
