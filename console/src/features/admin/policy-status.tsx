import { useQuery } from '@tanstack/react-query';
import { useSession } from '../../session/session';
import { admin } from '../../strings/admin';
import { byteSize, fingerprintOf } from '../../ui/format';
import { Literal } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Problem } from '../../ui/problem';
import { Loading } from '../../ui/states';
import { Facts } from './act-facts';
import { policyQuery } from './queries';
import styles from './admin.module.css';

/** Which rules are in force, evaluated by what. */
export function PolicyStatus() {
  const text = admin.policy;
  const { server } = useSession();
  const policy = useQuery(policyQuery);
  const { data } = policy;
  return (
    <section className={styles.block}>
      <h2>{text.title}</h2>
      {policy.isError && <Problem fault={policy.error} retry={() => void policy.refetch()} />}
      {policy.isPending && <Loading />}
      {data && data.policy_sha256 !== server.policy_sha256 && <Notice tone="warn" title={text.differs} />}
      {data && (
        <>
          <Facts
            rows={[
              [text.bundle, <code key="bundle">{data.policy_sha256}</code>],
              [text.engine, data.engine],
            ]}
          />
          <details className={styles.source}>
            <summary>{text.files(data.files.length)}</summary>
            <div className={styles.scroll} tabIndex={0} role="region" aria-label={text.files(data.files.length)}>
              <table className={styles.table}>
                <thead>
                  <tr>
                    <th scope="col">{text.path}</th>
                    <th scope="col">{text.size}</th>
                    <th scope="col">{text.fingerprint}</th>
                  </tr>
                </thead>
                <tbody>
                  {data.files.map(({ path, size, sha256 }) => (
                    <tr key={path}>
                      <th scope="row">
                        <Literal text={path} />
                      </th>
                      <td>{byteSize(size)}</td>
                      <td>
                        <code>{fingerprintOf(sha256)}</code>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </section>
  );
}
