import { expect, test } from 'vitest';
import { sha256, utf8 } from '../../verify/digest';
import { possessionCommand, readPossession } from './possession';

// Made by the command itself, with OpenSSH, over SHA-256 of `x`.
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKVc71rMxSkL1EWCD2CwHJKCve+p+oFZihd1T2gj+u+l';
const SIGNATURE = `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgpVzvWszFKQvURYIPYLAckoK976
n6gVmKF3VPaCP676UAAAATY2hhbmNlcnktcmVxdWVzdEB2MQAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEBgQpH6VVT0zfRBjHqY4HKJ6OgjgZDzhL6BbpuofvBCIm
mQeHt0V49BACW9cdvzbKS6uylbNHr57IEj5ggRNM8M
-----END SSH SIGNATURE-----
`;
const OTHER_NAMESPACE = `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgpVzvWszFKQvURYIPYLAckoK976
n6gVmKF3VPaCP676UAAAAIb3RoZXJAdjEAAAAAAAAABnNoYTUxMgAAAFMAAAALc3NoLWVk
MjU1MTkAAABAfGO5er4uHwOQhM+cSaeSdIhAVGNr+8s/CDp/cULAWLLnzkAEy1P1QAfRqH
f1/AnOq2ioTnX/g3590ENl5samAQ==
-----END SSH SIGNATURE-----
`;

test('the command signs the challenge in the namespace of requests', async () => {
  expect(possessionCommand(await sha256(utf8('x')))).toBe(
    'printf %s LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE= | base64 -d | ssh-keygen -Y sign -n chancery-request@v1 -f ~/.ssh/id_ed25519',
  );
});

test('a signature by the key over the challenge is taken, as the bytes that the server reads', async () => {
  const blob = await readPossession(`\n ${SIGNATURE}\n`, KEY, await sha256(utf8('x')));
  expect(blob).toMatch(/^U1NIU0lH[A-Za-z0-9_-]+$/);
});

test.each([
  ['over another challenge', SIGNATURE, 'y', /verify/],
  ['in another namespace', OTHER_NAMESPACE, 'x', /namespace/],
  ['that is cut', SIGNATURE.replace(/\n.{20}/, '\n'), 'x', /./],
  ['without its armor', SIGNATURE.replace(/-----/g, ''), 'x', /armored/],
  ['that is none', '', 'x', /armored/],
])('a signature %s is refused', async (_, armored, signed, message) => {
  await expect(readPossession(armored, KEY, await sha256(utf8(signed)))).rejects.toThrow(message);
});

test('a signature by another key is refused', async () => {
  const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4J5m0fmJ3sS6bHWNNBPBDsPlzSC+3mrKJ5fCJjQjbm';
  await expect(readPossession(SIGNATURE, other, await sha256(utf8('x')))).rejects.toThrow(/another SSH key/);
});
