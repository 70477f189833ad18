/** Texts of the screen about oneself. */
export const me = {
  title: 'Me',
  id: 'Your id',
  roles: 'Roles',
  noRoles: 'none',
  attributes: 'Attributes',
  sessionEnds: 'This session ends',
  seeLog: 'What the log says of you',

  recovery: {
    title: 'Somebody is getting in as you with a new passkey',
    counts: 'It counts from',
    until: 'Until then nothing can be signed in your name.',
    notYou: 'If that is not you, stop it with a passkey that you had before, and tell an administrator.',
    stop: 'Stop the recovery …',
    lost: 'Passkeys that it takes the place of',
  },

  passkeys: {
    title: 'Passkeys',
    one: 'You have one. A second one, on another device, keeps you in when the first is lost.',
    none: 'None counts now.',
    usedHere: 'signed in last in this browser',
    add: 'Add a passkey …',
    adding: 'Waiting for the new passkey …',
    addHint: 'Made on this device or a security key; then you sign, with a passkey that you have, that it is yours.',
    already: 'This authenticator is enrolled already. Use another one.',
    waits: 'A passkey of yours waits for your signature',
    waitsHint: 'If you did not just make it, do not sign, and tell an administrator.',
    sign: 'Look and sign …',
    held: 'A recovery runs: no passkey can be added or removed until it counts or is stopped.',
  },

  sessions: {
    title: 'Sessions',
    hint: 'Where you are signed in. A session ends with the passkey that introduced it.',
    kinds: { cookie: 'Browser', session_key: 'Command line' } as Record<string, string>,
    current: 'this one',
    since: 'since',
    until: 'until',
    by: 'by passkey',
    end: 'End',
    endOne: (kind: string, when: string) => `End the session “${kind}” of ${when}`,
    signOut: 'Sign out',
  },

  appearance: 'Appearance and keys',
} as const;
