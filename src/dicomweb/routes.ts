/** THE table of the API: reading it is reading what the service does (PS3.18 §10). */
import { readConfiguration } from './administration/configuration.js';
import { readMaintenance } from './administration/maintenance.js';
import { readStatistics } from './administration/statistics.js';
import {
  describing,
  openApiOffers,
  openApiYamlOffers,
} from './capabilities/retrieve-capabilities.js';
import { readChangeFeed, readLatestChange } from './changefeed/read-change-feed.js';
import { deleteInstance, deleteSeries, deleteStudy } from './delete/delete-instances.js';
import { startExport } from './export/start-export.js';
import { checkHealth } from './health.js';
import { listImports } from './import/list-imports.js';
import { cancelOperation, listOperations, readOperation } from './operations/operations.js';
import { listPartitions } from './partitions/list-partitions.js';
import * as queryTags from './query-tags/query-tags.js';
import * as allBulkData from './retrieve/bulkdata/retrieve-all-bulk-data.js';
import { retrieveBulkData } from './retrieve/bulkdata/retrieve-bulk-data.js';
import { retrieveFrames } from './retrieve/retrieve-frames.js';
import { retrieveInstance, retrieveSeries, retrieveStudy } from './retrieve/retrieve-instances.js';
import * as metadata from './retrieve/metadata/retrieve-metadata.js';
import { retrieveByUri } from './retrieve/wado-uri/retrieve-by-uri.js';
import * as rendered from './retrieve/rendered/retrieve-rendered.js';
import * as renderedSeries from './retrieve/rendered/retrieve-rendered-series.js';
import { defineRoutes, route, type Route } from './route.js';
import * as search from './search/search-instances.js';
import { searchForPatients } from './search/search-patients.js';
import * as shares from './shares/shares.js';
import {
  replaceInstances,
  replaceInstancesInStudy,
  storeInstances,
  storeInstancesInStudy,
} from './store/store-instances.js';
import { updateStudies } from './update/start-update.js';
import * as uploads from './uploads/direct-uploads.js';

const study = 'studies/{study}';
const series = `${study}/series/{series}`;
const instance = `${series}/instances/{instance}`;

/** Stores create the data partition that they name. */
const creating = { createsPartition: true } as const;
/** Once at the root. */
const service = { scope: 'service' } as const;
const allPartitions = { scope: 'all-partitions' } as const;
/** Shows what is in the caller's partitions. */
const partly = { ...allPartitions, partly: true } as const;

// prettier-ignore
export const routes = defineRoutes({
  // Store (PS3.18 §10.5)
  storeInstances: route('POST', 'studies', 'write', storeInstances, creating),
  storeInstancesInStudy: route('POST', study, 'write', storeInstancesInStudy, creating),
  replaceInstances: route('PUT', 'studies', 'write', replaceInstances, creating),
  replaceInstancesInStudy: route('PUT', study, 'write', replaceInstancesInStudy, creating),

  // Retrieve (PS3.18 §10.4)
  retrieveStudy: route('GET', study, 'read', retrieveStudy),
  retrieveSeries: route('GET', series, 'read', retrieveSeries),
  retrieveInstance: route('GET', instance, 'read', retrieveInstance),
  retrieveStudyMetadata: route('GET', `${study}/metadata`, 'read', metadata.retrieveStudyMetadata),
  retrieveSeriesMetadata: route('GET', `${series}/metadata`, 'read', metadata.retrieveSeriesMetadata),
  retrieveInstanceMetadata: route('GET', `${instance}/metadata`, 'read', metadata.retrieveInstanceMetadata),
  retrieveFrames: route('GET', `${instance}/frames/{frames}`, 'read', retrieveFrames),
  retrieveBulkData: route('GET', `${instance}/bulkdata/{*path}`, 'read', retrieveBulkData),
  retrieveStudyBulkData: route('GET', `${study}/bulkdata`, 'read', allBulkData.retrieveStudyBulkData),
  retrieveSeriesBulkData: route('GET', `${series}/bulkdata`, 'read', allBulkData.retrieveSeriesBulkData),
  retrieveInstanceBulkData: route('GET', `${instance}/bulkdata`, 'read', allBulkData.retrieveInstanceBulkData),
  retrieveStudyPixelData: route('GET', `${study}/pixeldata`, 'read', allBulkData.retrieveStudyPixelData),
  retrieveSeriesPixelData: route('GET', `${series}/pixeldata`, 'read', allBulkData.retrieveSeriesPixelData),
  retrieveInstancePixelData: route('GET', `${instance}/pixeldata`, 'read', allBulkData.retrieveInstancePixelData),

  // Rendered resources and thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.2)
  retrieveRenderedStudy: route('GET', `${study}/rendered`, 'read', renderedSeries.retrieveRenderedStudy),
  retrieveRenderedSeries: route('GET', `${series}/rendered`, 'read', renderedSeries.retrieveRenderedSeries),
  retrieveRenderedInstance: route('GET', `${instance}/rendered`, 'read', rendered.retrieveRenderedInstance),
  retrieveRenderedFrames: route('GET', `${instance}/frames/{frames}/rendered`, 'read', rendered.retrieveRenderedFrames),
  retrieveRenderedFramesByAlias: route('GET', `${instance}/rendered/{frames}`, 'read', rendered.retrieveRenderedFrames),
  retrieveStudyThumbnail: route('GET', `${study}/thumbnail`, 'read', renderedSeries.retrieveStudyThumbnail),
  retrieveSeriesThumbnail: route('GET', `${series}/thumbnail`, 'read', renderedSeries.retrieveSeriesThumbnail),
  retrieveInstanceThumbnail: route('GET', `${instance}/thumbnail`, 'read', rendered.retrieveInstanceThumbnail),
  retrieveFramesThumbnail: route('GET', `${instance}/frames/{frames}/thumbnail`, 'read', rendered.retrieveFramesThumbnail),
  retrieveFramesThumbnailByAlias: route('GET', `${instance}/thumbnail/{frames}`, 'read', rendered.retrieveFramesThumbnail),

  // WADO-URI (PS3.18 §9)
  retrieveByUri: route('GET', 'wado', 'read', retrieveByUri),

  // Search (PS3.18 §10.6)
  searchForPatients: route('GET', 'patients', 'read', searchForPatients),
  searchForStudies: route('GET', 'studies', 'read', search.searchForStudies),
  searchForSeries: route('GET', 'series', 'read', search.searchForSeries),
  searchForInstances: route('GET', 'instances', 'read', search.searchForInstances),
  searchForStudySeries: route('GET', `${study}/series`, 'read', search.searchForStudySeries),
  searchForStudyInstances: route('GET', `${study}/instances`, 'read', search.searchForStudyInstances),
  searchForSeriesInstances: route('GET', `${series}/instances`, 'read', search.searchForSeriesInstances),

  // Delete
  deleteStudy: route('DELETE', study, 'delete', deleteStudy),
  deleteSeries: route('DELETE', series, 'delete', deleteSeries),
  deleteInstance: route('DELETE', instance, 'delete', deleteInstance),

  // Change feed (as in the Microsoft server)
  readChangeFeed: route('GET', 'changefeed', 'read', readChangeFeed, allPartitions),
  readLatestChange: route('GET', 'changefeed/latest', 'read', readLatestChange, allPartitions),

  // Data partitions (as in the Microsoft server)
  listPartitions: route('GET', 'partitions', 'read', listPartitions, partly),

  // Long work (as in the Microsoft server)
  startExport: route('POST', 'export', 'admin', startExport),
  updateStudies: route('POST', 'studies/$bulkUpdate', 'write', updateStudies),
  listOperations: route('GET', 'operations', 'admin', listOperations, partly),
  readOperation: route('GET', 'operations/{operation}', 'read', readOperation, partly),
  cancelOperation: route('DELETE', 'operations/{operation}', 'admin', cancelOperation, partly),

  // Extended query tags (as in the Microsoft server)
  addQueryTags: route('POST', 'extendedquerytags', 'admin', queryTags.addQueryTags, allPartitions),
  listQueryTags: route('GET', 'extendedquerytags', 'read', queryTags.listQueryTags, allPartitions),
  readQueryTag: route('GET', 'extendedquerytags/{tag}', 'read', queryTags.readQueryTag, allPartitions),
  updateQueryTag: route('PATCH', 'extendedquerytags/{tag}', 'admin', queryTags.updateQueryTag, allPartitions),
  removeQueryTag: route('DELETE', 'extendedquerytags/{tag}', 'admin', queryTags.removeQueryTag, allPartitions),
  listQueryTagErrors: route('GET', 'extendedquerytags/{tag}/errors', 'read', queryTags.listQueryTagErrors, allPartitions),

  // Direct uploads, past the service into the import
  createUpload: route('POST', 'uploads', 'write', uploads.createUpload, creating),
  readUpload: route('GET', 'uploads/{upload}', 'write', uploads.readUpload),
  completeUpload: route('POST', 'uploads/{upload}', 'write', uploads.completeUpload),

  // Links to one study or series, for readers without an account
  createShare: route('POST', 'shares', 'share', shares.createShare),
  listShares: route('GET', 'shares', 'share', shares.listShares),
  withdrawShare: route('DELETE', 'shares/{share}', 'share', shares.withdrawShare),

  // Administration
  readStatistics: route('GET', 'statistics', 'admin', readStatistics),
  listImports: route('GET', 'imports', 'admin', listImports, service),
  readMaintenance: route('GET', 'maintenance', 'admin', readMaintenance, service),
  readConfiguration: route('GET', 'configuration', 'admin', readConfiguration, service),

  // Service
  checkHealth: route('GET', 'health/check', 'anonymous', checkHealth, service),
  retrieveCapabilities: route('GET', 'capabilities', 'read', describing(allRoutes), service),
  retrieveOpenApi: route('GET', 'openapi.json', 'anonymous', describing(allRoutes, openApiOffers), service),
  retrieveApiJson: route('GET', 'api.json', 'anonymous', describing(allRoutes, openApiOffers), allPartitions),
  retrieveApiYaml: route('GET', 'api.yaml', 'anonymous', describing(allRoutes, openApiYamlOffers), allPartitions),
});

/** The table as the documents that describe it see it. */
function allRoutes(): readonly Route[] {
  return Object.values<Route>(routes);
}
