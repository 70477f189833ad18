/** Texts around signing in. */
export const session = {
  title: 'Sign in',
  lead: 'Decide what may happen, on exactly what will be signed.',
  button: 'Sign in with a passkey',
  busy: 'Waiting for your passkey …',
  first: 'The first time on this device your passkey is asked twice: to learn who you are, then to sign.',
  last: 'Last signed in here:',
  other: 'I am somebody else',
  enrol: 'No passkey yet? Ask an administrator for an invitation.',
  log: (origin: string, version: string) => `Log ${origin} · version ${version}`,
} as const;
