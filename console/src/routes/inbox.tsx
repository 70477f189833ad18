import { useInfiniteQuery } from '@tanstack/react-query';
import { Outlet } from '@tanstack/react-router';
import { requestsQuery } from '../client/queries';
import { Row } from '../features/inbox/row';
import { Page } from '../shell/page';
import { inbox as text } from '../strings/inbox';
import { Problem } from '../ui/problem';
import { Empty, Loading } from '../ui/states';

export function InboxLayout() {
  const list = useInfiniteQuery(requestsQuery({ role: 'approver', state: 'pending' }));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title={text.title}>
      {list.isPending && <Loading />}
      {list.isError && <Problem fault={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && (
        <Empty title={text.empty.needs_me[0]}>
          <p>{text.empty.needs_me[1]}</p>
        </Empty>
      )}
      <ul>
        {items.map((item) => (
          <li key={item.id}>
            <Row item={item} />
          </li>
        ))}
      </ul>
      <Outlet />
    </Page>
  );
}

export function NothingChosen() {
  return null;
}
