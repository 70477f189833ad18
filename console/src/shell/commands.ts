/** What the palette offers: the screens, what a shown screen registered, and whatever request's id was typed. */
import type { AnyRouter } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import type { Schema } from '../client/client';
import { shell } from '../strings/shell';
import type { IconName } from './icon';
import { entriesFor } from './navigation';

export interface Command {
  id: string;
  label: string;
  icon: IconName;
  run: () => void;
}

const registered: { commands: readonly Command[] }[] = [];

/** Offers commands in the palette while the component is shown. None of them may approve. */
export function useCommands(commands: readonly Command[]): void {
  const own = useRef({ commands });
  own.current.commands = commands;
  useEffect(() => {
    const layer = own.current;
    registered.push(layer);
    return () => {
      registered.splice(registered.indexOf(layer), 1);
    };
  }, []);
}

/** The commands whose label has every word that was typed. */
export function commandsFor(typed: string, me: Schema<'WhoAmI'>, router: AnyRouter): Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const screens = entriesFor(me).map(({ to, label, icon }) => ({
    id: to,
    label: shell.palette.goTo(label),
    icon,
    run: () => void router.navigate({ to }),
  }));
  const all: Command[] = [...registered.flatMap(({ commands }) => commands), ...screens];
  const found = all.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
  return [...openById(typed.trim(), router), ...found];
}

function openById(typed: string, router: AnyRouter): Command[] {
  const id = /^[0-9A-HJKMNP-TV-Z]{26}$/i.test(typed) ? typed.toUpperCase() : undefined;
  if (!id) return [];
  return [{ id: 'request', label: shell.palette.openRequest(id), icon: 'request', run: () => void router.navigate({ to: `/inbox/${id}` }) }];
}
