import { registerUnknownRoute } from '../src/host/azure-functions.js';

registerUnknownRoute();
