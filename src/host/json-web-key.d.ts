/** The type declarations of @azure/identity name this DOM type, which Node declares elsewhere. */
type JsonWebKey = import('node:crypto').JsonWebKey;
