import { routes } from '../src/dicomweb/routes.js';
import { register } from '../src/host/azure-functions.js';

register(routes.startExport);
