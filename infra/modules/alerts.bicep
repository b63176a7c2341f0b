// Who is told of what: a share of failures, slowness, throttled storage, work left behind, failed imports.
param location string
param tags object
param workspaceId string
param dataAccountId string
param emails string[]
param failedPercent int
param slowMilliseconds int

// There even when nobody is told yet, so that people can be added to it.
resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-dicomweb'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'dicomweb'
    emailReceivers: [
      for (email, index) in emails: {
        name: 'email-${index}'
        emailAddress: trim(email)
        useCommonAlertSchema: true
      }
    ]
  }
}

var rules = [
  {
    name: 'dicomweb-failed-requests'
    description: 'Too large a share of requests is answered 5xx.'
    severity: 1
    query: loadTextContent('../queries/failed-requests.kql')
    threshold: failedPercent
    window: 'PT15M'
  }
  {
    name: 'dicomweb-slow-requests'
    description: 'The 95th percentile of searches and metadata is too long.'
    severity: 2
    query: loadTextContent('../queries/slow-requests.kql')
    threshold: slowMilliseconds
    window: 'PT15M'
  }
  {
    name: 'dicomweb-recovery-backlog'
    description: 'Many changes were left behind by writers that died.'
    severity: 2
    query: loadTextContent('../queries/recovery-backlog.kql')
    threshold: 50
    window: 'PT30M'
  }
  {
    name: 'dicomweb-recovery-failures'
    description: 'Recovery fails again and again.'
    severity: 1
    query: loadTextContent('../queries/recovery-failures.kql')
    threshold: 2
    window: 'PT30M'
  }
  {
    name: 'dicomweb-poison-messages'
    description: 'Imports were set aside after five failures: npm run import -- --poison.'
    severity: 2
    query: loadTextContent('../queries/poison-messages.kql')
    threshold: 0
    window: 'PT15M'
  }
  {
    name: 'dicomweb-standing-jobs'
    description: 'An operation, such as an export, has not come further for half an hour.'
    severity: 2
    query: loadTextContent('../queries/standing-jobs.kql')
    threshold: 1800
    window: 'PT15M'
  }
]

resource queryAlerts 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = [
  for rule in rules: {
    name: rule.name
    location: location
    tags: tags
    properties: {
      displayName: rule.name
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: rule.window
      // The tables of the workspace come into being with their first rows.
      skipQueryValidation: true
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'value'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]

resource throttling 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'dicomweb-throttling'
  location: 'global'
  tags: tags
  properties: {
    description: 'Storage answers that it is too busy.'
    severity: 2
    enabled: true
    scopes: [dataAccountId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'throttled'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.Storage/storageAccounts'
          metricName: 'Transactions'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 20
          dimensions: [
            {
              name: 'ResponseType'
              operator: 'Include'
              values: [
                'ServerBusyError'
                'ServerTimeoutError'
                'ClientThrottlingError'
                'ClientAccountBandwidthThrottlingError'
                'ClientAccountRequestThrottlingError'
              ]
            }
          ]
        }
      ]
    }
    actions: [{ actionGroupId: people.id }]
  }
}
