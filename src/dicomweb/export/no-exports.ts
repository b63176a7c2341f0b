/** The destinations of a service that has none. */
import { ServiceError } from '../../errors.js';
import type { ExportDestinations } from '../../storage/export-destinations.js';

export const noExports: ExportDestinations = {
  open: async () => {
    await Promise.resolve();
    throw new ServiceError('destination-refused', 'The storage of this service exports nowhere.');
  },
};
