/** The declarations of @azure/identity name this DOM type, which the types of Node do not have. */
interface JsonWebKey {
  readonly kty?: string;
}
