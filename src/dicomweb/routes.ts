/** THE table of the API: reading it is reading what the service does (PS3.18 §10). */
import { readChangeFeed, readLatestChange } from './changefeed/read-change-feed.js';
import { deleteInstance, deleteSeries, deleteStudy } from './delete/delete-instances.js';
import { checkHealth } from './health.js';
import * as allBulkData from './retrieve/bulkdata/retrieve-all-bulk-data.js';
import { retrieveBulkData } from './retrieve/bulkdata/retrieve-bulk-data.js';
import { retrieveFrames } from './retrieve/retrieve-frames.js';
import { retrieveInstance, retrieveSeries, retrieveStudy } from './retrieve/retrieve-instances.js';
import * as metadata from './retrieve/retrieve-metadata.js';
import * as rendered from './retrieve/rendered/retrieve-rendered.js';
import * as renderedSeries from './retrieve/rendered/retrieve-rendered-series.js';
import { defineRoutes } from './route.js';
import * as search from './search/search-instances.js';
import {
  replaceInstances,
  replaceInstancesInStudy,
  storeInstances,
  storeInstancesInStudy,
} from './store/store-instances.js';

const study = 'studies/{study}';
const series = `${study}/series/{series}`;
const instance = `${series}/instances/{instance}`;

// prettier-ignore
export const routes = defineRoutes({
  // Store (PS3.18 §10.5)
  storeInstances:           { method: 'POST',   path: 'studies',                permission: 'write',  handler: storeInstances },
  storeInstancesInStudy:    { method: 'POST',   path: study,                    permission: 'write',  handler: storeInstancesInStudy },
  replaceInstances:         { method: 'PUT',    path: 'studies',                permission: 'write',  handler: replaceInstances },
  replaceInstancesInStudy:  { method: 'PUT',    path: study,                    permission: 'write',  handler: replaceInstancesInStudy },

  // Retrieve (PS3.18 §10.4)
  retrieveStudy:            { method: 'GET',    path: study,                    permission: 'read',   handler: retrieveStudy },
  retrieveSeries:           { method: 'GET',    path: series,                   permission: 'read',   handler: retrieveSeries },
  retrieveInstance:         { method: 'GET',    path: instance,                 permission: 'read',   handler: retrieveInstance },
  retrieveStudyMetadata:    { method: 'GET',    path: `${study}/metadata`,      permission: 'read',   handler: metadata.retrieveStudyMetadata },
  retrieveSeriesMetadata:   { method: 'GET',    path: `${series}/metadata`,     permission: 'read',   handler: metadata.retrieveSeriesMetadata },
  retrieveInstanceMetadata: { method: 'GET',    path: `${instance}/metadata`,   permission: 'read',   handler: metadata.retrieveInstanceMetadata },
  retrieveFrames:           { method: 'GET',    path: `${instance}/frames/{frames}`, permission: 'read', handler: retrieveFrames },
  retrieveBulkData:         { method: 'GET',    path: `${instance}/bulkdata/{*path}`, permission: 'read', handler: retrieveBulkData },
  retrieveStudyBulkData:    { method: 'GET',    path: `${study}/bulkdata`,      permission: 'read',   handler: allBulkData.retrieveStudyBulkData },
  retrieveSeriesBulkData:   { method: 'GET',    path: `${series}/bulkdata`,     permission: 'read',   handler: allBulkData.retrieveSeriesBulkData },
  retrieveInstanceBulkData: { method: 'GET',    path: `${instance}/bulkdata`,   permission: 'read',   handler: allBulkData.retrieveInstanceBulkData },
  retrieveStudyPixelData:   { method: 'GET',    path: `${study}/pixeldata`,     permission: 'read',   handler: allBulkData.retrieveStudyPixelData },
  retrieveSeriesPixelData:  { method: 'GET',    path: `${series}/pixeldata`,    permission: 'read',   handler: allBulkData.retrieveSeriesPixelData },
  retrieveInstancePixelData: { method: 'GET',   path: `${instance}/pixeldata`,  permission: 'read',   handler: allBulkData.retrieveInstancePixelData },

  // Rendered resources and thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.2)
  retrieveRenderedStudy: { method: 'GET', path: `${study}/rendered`, permission: 'read', handler: renderedSeries.retrieveRenderedStudy },
  retrieveRenderedSeries: { method: 'GET', path: `${series}/rendered`, permission: 'read', handler: renderedSeries.retrieveRenderedSeries },
  retrieveRenderedInstance: { method: 'GET', path: `${instance}/rendered`, permission: 'read', handler: rendered.retrieveRenderedInstance },
  retrieveRenderedFrames: { method: 'GET', path: `${instance}/frames/{frames}/rendered`, permission: 'read', handler: rendered.retrieveRenderedFrames },
  retrieveRenderedFramesByAlias: { method: 'GET', path: `${instance}/rendered/{frames}`, permission: 'read', handler: rendered.retrieveRenderedFrames },
  retrieveStudyThumbnail: { method: 'GET', path: `${study}/thumbnail`, permission: 'read', handler: renderedSeries.retrieveStudyThumbnail },
  retrieveSeriesThumbnail: { method: 'GET', path: `${series}/thumbnail`, permission: 'read', handler: renderedSeries.retrieveSeriesThumbnail },
  retrieveInstanceThumbnail: { method: 'GET', path: `${instance}/thumbnail`, permission: 'read', handler: rendered.retrieveInstanceThumbnail },
  retrieveFramesThumbnail: { method: 'GET', path: `${instance}/frames/{frames}/thumbnail`, permission: 'read', handler: rendered.retrieveFramesThumbnail },
  retrieveFramesThumbnailByAlias: { method: 'GET', path: `${instance}/thumbnail/{frames}`, permission: 'read', handler: rendered.retrieveFramesThumbnail },

  // Search (PS3.18 §10.6)
  searchForStudies:         { method: 'GET',    path: 'studies',                permission: 'read',   handler: search.searchForStudies },
  searchForSeries:          { method: 'GET',    path: 'series',                 permission: 'read',   handler: search.searchForSeries },
  searchForInstances:       { method: 'GET',    path: 'instances',              permission: 'read',   handler: search.searchForInstances },
  searchForStudySeries:     { method: 'GET',    path: `${study}/series`,        permission: 'read',   handler: search.searchForStudySeries },
  searchForStudyInstances:  { method: 'GET',    path: `${study}/instances`,     permission: 'read',   handler: search.searchForStudyInstances },
  searchForSeriesInstances: { method: 'GET',    path: `${series}/instances`,    permission: 'read',   handler: search.searchForSeriesInstances },

  // Delete
  deleteStudy:              { method: 'DELETE', path: study,                    permission: 'delete', handler: deleteStudy },
  deleteSeries:             { method: 'DELETE', path: series,                   permission: 'delete', handler: deleteSeries },
  deleteInstance:           { method: 'DELETE', path: instance,                 permission: 'delete', handler: deleteInstance },

  // Change feed (as in the Microsoft server)
  readChangeFeed:           { method: 'GET',    path: 'changefeed',             permission: 'read',   handler: readChangeFeed, scope: 'all-partitions' },
  readLatestChange:         { method: 'GET',    path: 'changefeed/latest',      permission: 'read',   handler: readLatestChange, scope: 'all-partitions' },

  // Service
  checkHealth:              { method: 'GET',    path: 'health/check',           permission: 'anonymous', handler: checkHealth, scope: 'service' },
});
