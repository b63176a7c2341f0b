import { registerCorsPreflight } from '../src/host/functions/azure-functions.js';

registerCorsPreflight();
