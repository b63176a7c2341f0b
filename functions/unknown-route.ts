import { registerUnknownRoute } from '../src/host/functions/azure-functions.js';

registerUnknownRoute();
