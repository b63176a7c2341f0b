// The function app on a Flex Consumption plan. Every setting that the code reads is set here; a test
// holds the two together.
import { defaultNodeVersion, functionAppName, functionAppUrl, furtherSettings } from '../settings.bicep'

param location string
param tags object
param token string
param identityId string
param identityClientId string
param subnetId string
param hostBlobEndpoint string
param packageContainer string
param blobEndpoint string
param tableEndpoint string
param queueEndpoint string
param insightsConnectionString string
param workspaceId string
param authTenantId string
param authClientId string
param authAudience string
param authIssuer string
param allowedOrigins string
param publicUrl string
param platformAuth bool
param partitionsEnabled bool
param importKeepsFiles bool
param maxRequestBytes int
param moreSettings furtherSettings
param instanceMemoryMB int
param maximumInstanceCount int
param requestsPerInstance int
param alwaysReadyInstances int
param zoneRedundant bool
param nodeVersion string

var appName = functionAppName(token)
var ownUrl = functionAppUrl(token)

// An empty setting counts as unset, and unset means every origin: its own is the only one, then.
var origins = empty(allowedOrigins) ? ownUrl : allowedOrigins

// The host may hold a body several times over before the service is asked, and so many requests at a time
// (docs/deploy.md, Memory). What is left beside the process bounds one body.
var memory = loadJsonContent('../memory.json')
var hostBodyMiB = (instanceMemoryMB - memory.besideMiB) / (memory.timesBody * requestsPerInstance)
var serviceBodyMiB = hostBodyMiB - memory.aboveServiceMiB
var fittingBytes = serviceBodyMiB > 0
  ? serviceBodyMiB * 1048576
  : fail('${instanceMemoryMB} MB hold no bodies of ${requestsPerInstance} requests at a time.')
// With platformAuth only callers with a token can fill the memory, and who deploys may trust them.
var bodyBytes = maxRequestBytes == 0
  ? fittingBytes
  : maxRequestBytes <= fittingBytes || platformAuth
      ? maxRequestBytes
      : fail('maxRequestBytes is ${maxRequestBytes}, but ${requestsPerInstance} requests at a time fit into ${instanceMemoryMB} MB with ${fittingBytes} at most: take fewer requests per instance, or direct uploads.')

var settings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: hostBlobEndpoint
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // The service counts bytes itself and answers 413; the host, which would answer 500, comes second.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(bodyBytes + memory.aboveServiceMiB * 1048576)
  DicomStorage__blobServiceUri: blobEndpoint
  DicomStorage__tableServiceUri: tableEndpoint
  DicomStorage__queueServiceUri: queueEndpoint
  DicomStorage__credential: 'managedidentity'
  DicomStorage__clientId: identityClientId
  DICOM_AUTH_TENANT_ID: authTenantId
  DICOM_AUTH_AUDIENCE: authAudience
  DICOM_AUTH_ISSUER: authIssuer
  DICOMWEB_ALLOWED_ORIGINS: origins
  DICOMWEB_PUBLIC_URL: empty(publicUrl) ? ownUrl : publicUrl
  DICOMWEB_PARTITIONS: string(partitionsEnabled)
  DICOMWEB_IMPORT_KEEP_FILES: string(importKeepsFiles)
  DICOMWEB_MAX_REQUEST_BYTES: string(bodyBytes)
}

// What the service answers to everyone, in each version.
var anonymousPaths = [
  '/api.json'
  '/api.yaml'
  '/health/check'
  '/openapi.json'
  '/v1/api.json'
  '/v1/api.yaml'
  '/v1/health/check'
  '/v1/openapi.json'
  '/v2/api.json'
  '/v2/api.yaml'
  '/v2/health/check'
  '/v2/openapi.json'
]

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-dicomweb-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: appName
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      // CORS is the service's own: what the platform answered here would never reach it. With platformAuth
      // preflights, which carry no token, would not reach it either.
      cors: platformAuth ? { allowedOrigins: split(origins, ',') } : null
      appSettings: map(items(union(settings, moreSettings)), setting => {
        name: setting.key
        value: string(setting.value)
      })
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostBlobEndpoint}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: empty(nodeVersion) ? defaultNodeVersion : nodeVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        triggers: {
          http: { perInstanceConcurrency: requestsPerInstance }
        }
        alwaysReady: alwaysReadyInstances > 0 ? [{ name: 'http', instanceCount: alwaysReadyInstances }] : []
      }
    }
  }

  // A second lock, which looks at the token before a byte of a body is read.
  resource lock 'config' = if (platformAuth) {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: {
        requireAuthentication: true
        unauthenticatedClientAction: 'Return401'
        excludedPaths: anonymousPaths
      }
      httpSettings: { requireHttps: true }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: empty(authClientId) ? split(authAudience, ',')[0] : authClientId
            openIdIssuer: empty(authIssuer)
              ? '${environment().authentication.loginEndpoint}${authTenantId}/v2.0'
              : authIssuer
          }
          validation: { allowedAudiences: split(authAudience, ',') }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
  }

  resource deployment 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

resource appMetrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'metrics'
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
