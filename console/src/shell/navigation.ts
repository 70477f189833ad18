/** What has a place in the frame, in order. An entry stands here only when its screen exists. */
import type { LinkProps } from '@tanstack/react-router';
import type { Schema } from '../client/client';
import { shell } from '../strings/shell';
import type { IconName } from './icon';

export interface Entry {
  to: NonNullable<LinkProps['to']>;
  label: string;
  /** For the tabs of a phone, where it is shorter. */
  short?: string;
  icon: IconName;
  /** The addresses that belong to it. */
  covers: RegExp;
  /** Whether it is one of the tabs on a phone. */
  tab: boolean;
  /** Who has use for it; everybody when absent. It hides nothing: the server refuses what must not be. */
  for?: (me: Schema<'WhoAmI'>) => boolean;
}

export const navigation: readonly Entry[] = [
  { to: '/', label: shell.inbox, icon: 'inbox', tab: true, covers: /^\/(inbox\/.*)?$/ },
  { to: '/requests', label: shell.requests, short: shell.requestsShort, icon: 'request', tab: true, covers: /^\/requests(\/(?!new$).*)?$/ },
  { to: '/requests/new', label: shell.newRequest, short: shell.newRequestShort, icon: 'add', tab: true, covers: /^\/requests\/new$/ },
  { to: '/audit', label: shell.audit, icon: 'audit', tab: false, covers: /^\/audit/ },
  { to: '/verify', label: shell.verify, icon: 'verify', tab: false, covers: /^\/verify/ },
  { to: '/me', label: shell.me, icon: 'me', tab: true, covers: /^\/me/ },
  { to: '/admin', label: shell.administration, icon: 'administration', tab: false, covers: /^\/admin/ },
];

export function entriesFor(me: Schema<'WhoAmI'>): Entry[] {
  return navigation.filter((entry) => entry.for?.(me) ?? true);
}
