/**
 * The one Trusted Types policy. React Aria clears an element with `innerHTML = ''`; nothing else is ever parsed as
 * HTML here, and no script is made from text.
 */
interface PolicyFactory {
  createPolicy(name: 'default', rules: { createHTML(input: string): string }): unknown;
}

export function installTrustedTypes(): void {
  const { trustedTypes } = globalThis as { trustedTypes?: PolicyFactory };
  trustedTypes?.createPolicy('default', {
    createHTML(input) {
      if (input !== '') throw new TypeError('text is never parsed as HTML here');
      return input;
    },
  });
}
