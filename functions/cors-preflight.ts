import { registerCorsPreflight } from '../src/host/azure-functions.js';

registerCorsPreflight();
