-- What moved in the accounts' standings, in the order in which it came to be known, for those who watch.

-- Up to 64 movements of one transaction in each row.
create table movements (
    -- Counts the rows: no gaps, and in commit order.
    position bigint not null,
    moved_at bigint not null,
    document bytea not null,
    constraint movements_key primary key (position)
);

-- Where the log ends. One row, which whoever appends takes first.
create table movement_log (
    id bigint not null,
    -- Tells this log from another that a service without its database would begin; set as the service first starts.
    epoch text not null,
    -- The position of the last row.
    position bigint not null,
    -- How many movements there have been.
    movement_count bigint not null,
    constraint movement_log_key primary key (id)
);

insert into movement_log (id, epoch, position, movement_count) values (1, '', 0, 0);

-- The movement that was logged last of the account, and why it may have moved since; null in rows that are older than
-- the log.
alter table standings add column last_movement bytea;
