/** THE table of the API: reading it is reading what the service does. */
import { checkHealth } from './health.js';
import { defineRoutes } from './route.js';

export const routes = defineRoutes({
  checkHealth: {
    method: 'GET',
    path: 'health/check',
    permission: 'anonymous',
    handler: checkHealth,
    scope: 'service',
  },
});
