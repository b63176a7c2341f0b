import { routes } from '../src/dicomweb/routes.js';
import { register } from '../src/host/functions/azure-functions.js';

register(routes.updateStudies);
