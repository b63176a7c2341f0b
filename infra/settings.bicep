// What several templates share: the name of the function app, the version of Node, and the settings of
// docs/configuration.md that have no parameter of their own.

@export()
@description('The version of Node where none is named.')
var defaultNodeVersion = '24'

@export()
@description('Name of the function app.')
func functionAppName(token string) string => 'func-dicomweb-${token}'

@export()
@description('URL of the function app, known before it is made: the registration needs it.')
func functionAppUrl(token string) string => 'https://${functionAppName(token)}.azurewebsites.net'

@export()
@sealed()
@description('Settings that need no change in most installations, by name.')
type furtherSettings = {
  DICOMWEB_AUDIT_UIDS: bool?
  DICOMWEB_MAX_INSTANCE_BYTES: int?
  DICOMWEB_MAX_PARTS: int?
  DICOMWEB_MAX_STORE_REQUESTS: int?
  DICOMWEB_MAX_HELD_HEADER_BYTES: int?
  DICOMWEB_UPLOADS_PER_REQUEST: int?
  DICOMWEB_UPLOAD_MINUTES: int?
  DICOMWEB_SHARES: bool?
  DICOMWEB_SHARE_DAYS: int?
  DICOMWEB_LOG_SHARDS: int?
  DICOMWEB_MAX_HEADER_BYTES: int?
  DICOMWEB_MAX_NESTING_DEPTH: int?
  DICOMWEB_MAX_ELEMENTS: int?
  DICOMWEB_MAX_VALUES: int?
  DICOMWEB_MAX_FRAGMENTS: int?
  DICOMWEB_MAX_INFLATED_BYTES: int?
  DICOMWEB_MAX_FRAME_BYTES: int?
  DICOMWEB_PIXEL_WORKERS: int?
  DICOMWEB_PIXEL_TIMEOUT_SECONDS: int?
}
