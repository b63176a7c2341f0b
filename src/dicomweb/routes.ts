/** THE table of the API: reading it is reading what the service does (PS3.18 §10). */
import {
  capabilityOffers,
  describing,
  openApiOffers,
  openApiYamlOffers,
} from './capabilities/retrieve-capabilities.js';
import { readChangeFeed, readLatestChange } from './changefeed/read-change-feed.js';
import { deleteInstance, deleteSeries, deleteStudy } from './delete/delete-instances.js';
import { startExport } from './export/start-export.js';
import { checkHealth } from './health.js';
import { answers, queries, takesInstances, takesJson } from './media-types.js';
import { cancelOperation, listOperations, readOperation } from './operations/operations.js';
import { listPartitions } from './partitions/list-partitions.js';
import * as queryTags from './query-tags/query-tags.js';
import * as allBulkData from './retrieve/bulkdata/retrieve-all-bulk-data.js';
import { retrieveBulkData } from './retrieve/bulkdata/retrieve-bulk-data.js';
import { retrieveFrames } from './retrieve/retrieve-frames.js';
import { retrieveInstance, retrieveSeries, retrieveStudy } from './retrieve/retrieve-instances.js';
import * as metadata from './retrieve/retrieve-metadata.js';
import { retrieveByUri } from './retrieve/wado-uri/retrieve-by-uri.js';
import * as rendered from './retrieve/rendered/retrieve-rendered.js';
import * as renderedSeries from './retrieve/rendered/retrieve-rendered-series.js';
import { defineRoutes, type Route } from './route.js';
import * as search from './search/search-instances.js';
import { searchForPatients } from './search/search-patients.js';
import * as shares from './shares/shares.js';
import {
  replaceInstances,
  replaceInstancesInStudy,
  storeInstances,
  storeInstancesInStudy,
} from './store/store-instances.js';
import * as uploads from './uploads/direct-uploads.js';

const study = 'studies/{study}';
const series = `${study}/series/{series}`;
const instance = `${series}/instances/{instance}`;

// prettier-ignore
export const routes = defineRoutes({
  // Store (PS3.18 §10.5)
  storeInstances:           { method: 'POST',   path: 'studies',                permission: 'write',  handler: storeInstances, createsPartition: true, answers: answers.stored, takes: takesInstances },
  storeInstancesInStudy:    { method: 'POST',   path: study,                    permission: 'write',  handler: storeInstancesInStudy, createsPartition: true, answers: answers.stored, takes: takesInstances },
  replaceInstances:         { method: 'PUT',    path: 'studies',                permission: 'write',  handler: replaceInstances, createsPartition: true, answers: answers.stored, takes: takesInstances },
  replaceInstancesInStudy:  { method: 'PUT',    path: study,                    permission: 'write',  handler: replaceInstancesInStudy, createsPartition: true, answers: answers.stored, takes: takesInstances },

  // Retrieve (PS3.18 §10.4)
  retrieveStudy:            { method: 'GET',    path: study,                    permission: 'read',   handler: retrieveStudy, answers: answers.files },
  retrieveSeries:           { method: 'GET',    path: series,                   permission: 'read',   handler: retrieveSeries, answers: answers.files },
  retrieveInstance:         { method: 'GET',    path: instance,                 permission: 'read',   handler: retrieveInstance, answers: answers.file },
  retrieveStudyMetadata:    { method: 'GET',    path: `${study}/metadata`,      permission: 'read',   handler: metadata.retrieveStudyMetadata, answers: answers.metadata, query: queries.metadata },
  retrieveSeriesMetadata:   { method: 'GET',    path: `${series}/metadata`,     permission: 'read',   handler: metadata.retrieveSeriesMetadata, answers: answers.metadata, query: queries.metadata },
  retrieveInstanceMetadata: { method: 'GET',    path: `${instance}/metadata`,   permission: 'read',   handler: metadata.retrieveInstanceMetadata, answers: answers.instanceMetadata, query: queries.metadata },
  retrieveFrames:           { method: 'GET',    path: `${instance}/frames/{frames}`, permission: 'read', handler: retrieveFrames, answers: answers.frames },
  retrieveBulkData:         { method: 'GET',    path: `${instance}/bulkdata/{*path}`, permission: 'read', handler: retrieveBulkData, answers: answers.bulkValue },
  retrieveStudyBulkData:    { method: 'GET',    path: `${study}/bulkdata`,      permission: 'read',   handler: allBulkData.retrieveStudyBulkData, answers: answers.bulkValues },
  retrieveSeriesBulkData:   { method: 'GET',    path: `${series}/bulkdata`,     permission: 'read',   handler: allBulkData.retrieveSeriesBulkData, answers: answers.bulkValues },
  retrieveInstanceBulkData: { method: 'GET',    path: `${instance}/bulkdata`,   permission: 'read',   handler: allBulkData.retrieveInstanceBulkData, answers: answers.bulkValues },
  retrieveStudyPixelData:   { method: 'GET',    path: `${study}/pixeldata`,     permission: 'read',   handler: allBulkData.retrieveStudyPixelData, answers: answers.bulkValues },
  retrieveSeriesPixelData:  { method: 'GET',    path: `${series}/pixeldata`,    permission: 'read',   handler: allBulkData.retrieveSeriesPixelData, answers: answers.bulkValues },
  retrieveInstancePixelData: { method: 'GET',   path: `${instance}/pixeldata`,  permission: 'read',   handler: allBulkData.retrieveInstancePixelData, answers: answers.bulkValues },

  // Rendered resources and thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.2)
  retrieveRenderedStudy: { method: 'GET', path: `${study}/rendered`, permission: 'read', handler: renderedSeries.retrieveRenderedStudy, answers: answers.pictures, query: queries.pictures },
  retrieveRenderedSeries: { method: 'GET', path: `${series}/rendered`, permission: 'read', handler: renderedSeries.retrieveRenderedSeries, answers: answers.pictures, query: queries.pictures },
  retrieveRenderedInstance: { method: 'GET', path: `${instance}/rendered`, permission: 'read', handler: rendered.retrieveRenderedInstance, answers: answers.pictures, query: queries.pictures },
  retrieveRenderedFrames: { method: 'GET', path: `${instance}/frames/{frames}/rendered`, permission: 'read', handler: rendered.retrieveRenderedFrames, answers: answers.pictures, query: queries.pictures },
  retrieveRenderedFramesByAlias: { method: 'GET', path: `${instance}/rendered/{frames}`, permission: 'read', handler: rendered.retrieveRenderedFrames, answers: answers.pictures, query: queries.pictures },
  retrieveStudyThumbnail: { method: 'GET', path: `${study}/thumbnail`, permission: 'read', handler: renderedSeries.retrieveStudyThumbnail, answers: answers.thumbnail, query: queries.pictures },
  retrieveSeriesThumbnail: { method: 'GET', path: `${series}/thumbnail`, permission: 'read', handler: renderedSeries.retrieveSeriesThumbnail, answers: answers.thumbnail, query: queries.pictures },
  retrieveInstanceThumbnail: { method: 'GET', path: `${instance}/thumbnail`, permission: 'read', handler: rendered.retrieveInstanceThumbnail, answers: answers.thumbnail, query: queries.pictures },
  retrieveFramesThumbnail: { method: 'GET', path: `${instance}/frames/{frames}/thumbnail`, permission: 'read', handler: rendered.retrieveFramesThumbnail, answers: answers.thumbnail, query: queries.pictures },
  retrieveFramesThumbnailByAlias: { method: 'GET', path: `${instance}/thumbnail/{frames}`, permission: 'read', handler: rendered.retrieveFramesThumbnail, answers: answers.thumbnail, query: queries.pictures },

  // WADO-URI (PS3.18 §9)
  retrieveByUri:            { method: 'GET',    path: 'wado',                   permission: 'read',   handler: retrieveByUri, answers: answers.byUri, query: queries.byUri },

  // Search (PS3.18 §10.6)
  searchForPatients:        { method: 'GET',    path: 'patients',               permission: 'read',   handler: searchForPatients, answers: answers.results, query: queries.search },
  searchForStudies:         { method: 'GET',    path: 'studies',                permission: 'read',   handler: search.searchForStudies, answers: answers.results, query: queries.search },
  searchForSeries:          { method: 'GET',    path: 'series',                 permission: 'read',   handler: search.searchForSeries, answers: answers.results, query: queries.search },
  searchForInstances:       { method: 'GET',    path: 'instances',              permission: 'read',   handler: search.searchForInstances, answers: answers.results, query: queries.search },
  searchForStudySeries:     { method: 'GET',    path: `${study}/series`,        permission: 'read',   handler: search.searchForStudySeries, answers: answers.results, query: queries.search },
  searchForStudyInstances:  { method: 'GET',    path: `${study}/instances`,     permission: 'read',   handler: search.searchForStudyInstances, answers: answers.results, query: queries.search },
  searchForSeriesInstances: { method: 'GET',    path: `${series}/instances`,    permission: 'read',   handler: search.searchForSeriesInstances, answers: answers.results, query: queries.search },

  // Delete
  deleteStudy:              { method: 'DELETE', path: study,                    permission: 'delete', handler: deleteStudy },
  deleteSeries:             { method: 'DELETE', path: series,                   permission: 'delete', handler: deleteSeries },
  deleteInstance:           { method: 'DELETE', path: instance,                 permission: 'delete', handler: deleteInstance },

  // Change feed (as in the Microsoft server)
  readChangeFeed:           { method: 'GET',    path: 'changefeed',             permission: 'read',   handler: readChangeFeed, scope: 'all-partitions', answers: answers.json, query: queries.changes },
  readLatestChange:         { method: 'GET',    path: 'changefeed/latest',      permission: 'read',   handler: readLatestChange, scope: 'all-partitions', answers: answers.json },

  // Data partitions (as in the Microsoft server)
  listPartitions:           { method: 'GET',    path: 'partitions',             permission: 'read',   handler: listPartitions, scope: 'all-partitions', partly: true, answers: answers.json },

  // Long work (as in the Microsoft server)
  startExport:              { method: 'POST',   path: 'export',                 permission: 'admin',  handler: startExport, answers: answers.json, takes: takesJson },
  listOperations:           { method: 'GET',    path: 'operations',             permission: 'admin',  handler: listOperations, scope: 'all-partitions', partly: true, answers: answers.json },
  readOperation:            { method: 'GET',    path: 'operations/{operation}', permission: 'read',   handler: readOperation, scope: 'all-partitions', partly: true, answers: answers.json },
  cancelOperation:          { method: 'DELETE', path: 'operations/{operation}', permission: 'admin',  handler: cancelOperation, scope: 'all-partitions', partly: true },

  // Extended query tags (as in the Microsoft server)
  addQueryTags:             { method: 'POST',   path: 'extendedquerytags',      permission: 'admin',  handler: queryTags.addQueryTags, scope: 'all-partitions', answers: answers.json, takes: takesJson },
  listQueryTags:            { method: 'GET',    path: 'extendedquerytags',      permission: 'read',   handler: queryTags.listQueryTags, scope: 'all-partitions', answers: answers.json, query: queries.pages },
  readQueryTag:             { method: 'GET',    path: 'extendedquerytags/{tag}', permission: 'read',  handler: queryTags.readQueryTag, scope: 'all-partitions', answers: answers.json },
  updateQueryTag:           { method: 'PATCH',  path: 'extendedquerytags/{tag}', permission: 'admin', handler: queryTags.updateQueryTag, scope: 'all-partitions', answers: answers.json, takes: takesJson },
  removeQueryTag:           { method: 'DELETE', path: 'extendedquerytags/{tag}', permission: 'admin', handler: queryTags.removeQueryTag, scope: 'all-partitions' },
  listQueryTagErrors:       { method: 'GET',    path: 'extendedquerytags/{tag}/errors', permission: 'read', handler: queryTags.listQueryTagErrors, scope: 'all-partitions', answers: answers.json, query: queries.pages },

  // Direct uploads, past the service into the import
  createUpload:             { method: 'POST',   path: 'uploads',                permission: 'write',  handler: uploads.createUpload, createsPartition: true, answers: answers.json },
  readUpload:               { method: 'GET',    path: 'uploads/{upload}',       permission: 'write',  handler: uploads.readUpload, answers: answers.json },
  completeUpload:           { method: 'POST',   path: 'uploads/{upload}',       permission: 'write',  handler: uploads.completeUpload, answers: answers.stored },

  // Links to one study or series, for readers without an account
  createShare:              { method: 'POST',   path: 'shares',                 permission: 'share',  handler: shares.createShare, answers: answers.json, takes: takesJson },
  listShares:               { method: 'GET',    path: 'shares',                 permission: 'share',  handler: shares.listShares, answers: answers.json },
  withdrawShare:            { method: 'DELETE', path: 'shares/{share}',         permission: 'share',  handler: shares.withdrawShare },

  // Service
  checkHealth:              { method: 'GET',    path: 'health/check',           permission: 'anonymous', handler: checkHealth, scope: 'service', answers: answers.json },
  retrieveCapabilities:     { method: 'GET',    path: 'capabilities',           permission: 'read',   handler: describing(allRoutes), scope: 'service', answers: capabilityOffers },
  retrieveOpenApi:          { method: 'GET',    path: 'openapi.json',           permission: 'anonymous', handler: describing(allRoutes, openApiOffers), scope: 'service', answers: openApiOffers },
  retrieveApiJson:          { method: 'GET',    path: 'api.json',               permission: 'anonymous', handler: describing(allRoutes, openApiOffers), scope: 'all-partitions', answers: openApiOffers },
  retrieveApiYaml:          { method: 'GET',    path: 'api.yaml',               permission: 'anonymous', handler: describing(allRoutes, openApiYamlOffers), scope: 'all-partitions', answers: openApiYamlOffers },
});

/** The table as the documents that describe it see it. */
function allRoutes(): readonly Route[] {
  return Object.values<Route>(routes);
}
