-- greeting
SET NOCOUNT ON; SET XACT_ABORT ON; SET ANSI_NULLS ON; SET ANSI_PADDING ON; SET ANSI_WARNINGS ON; SET ARITHABORT ON; SET CONCAT_NULL_YIELDS_NULL ON; SET QUOTED_IDENTIFIER ON; SET NUMERIC_ROUNDABORT OFF; SET LANGUAGE us_english; SET DATEFORMAT ymd; SET LOCK_TIMEOUT 2000; SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)), SCHEMA_NAME(), CASE WHEN DATABASEPROPERTYEX(DB_NAME(), 'Updateability') = 'READ_ONLY' THEN 1 ELSE 0 END;

-- health
SELECT 1;
SELECT 1 WHERE HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'CREATE TABLE') = 1;

-- clock
SELECT CONVERT(varchar(26), CAST(SYSUTCDATETIME() AS datetime2(6)), 126);

-- count
SELECT count(*) AS count_1 FROM [dbo].[Customer] WHERE (1 = 1);

-- page by key
SELECT TOP 10 [dbo].[Line].[order_id] AS p0, [dbo].[Line].[at] AS p1, [dbo].[Line].[order_id] AS c0, [dbo].[Line].[at] AS c1 FROM [dbo].[Line] WHERE (1 = 1) AND ([dbo].[Line].[order_id] > ? OR [dbo].[Line].[order_id] = ? AND [dbo].[Line].[at] > ?) ORDER BY [dbo].[Line].[order_id], [dbo].[Line].[at]; -- [3, 3, 4]

-- page of a large table
SELECT [dbo].[Customer].[id] FROM [dbo].[Customer] ORDER BY [dbo].[Customer].[id] OFFSET ? ROWS FETCH FIRST ? ROWS ONLY; -- [19999, 1]
SELECT TOP 256 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, CASE WHEN (datalength([dbo].[Customer].[notes]) <= ?) THEN CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) ELSE NULL END AS c1, datalength([dbo].[Customer].[notes]) AS n0 FROM [dbo].[Customer] WHERE charindex(CAST(? AS NVARCHAR(4000)) COLLATE Latin1_General_100_BIN2, lower(CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) COLLATE Latin1_General_100_CI_AS_SC) COLLATE Latin1_General_100_BIN2) > ? AND [dbo].[Customer].[id] <= ? ORDER BY [dbo].[Customer].[id]; -- [1000000, 'anna', 0, 5000]

-- page without a key
SELECT TOP 11 convert(varchar(64), hashbytes('SHA2_256', (isnull(CAST([dbo].[Log].[who] AS NVARCHAR(max)), N'~') + N'|') + (isnull(convert(nvarchar(40), CAST([dbo].[Log].[at] AS datetime2(6)), 126), N'~') + N'|')), 2) COLLATE Latin1_General_100_BIN2 AS p0, [dbo].[Log].[who] AS c0, convert(nvarchar(40), CAST([dbo].[Log].[at] AS datetime2(6)), 126) AS c1 FROM [dbo].[Log] WHERE (1 = 1) AND (convert(varchar(64), hashbytes('SHA2_256', (isnull(CAST([dbo].[Log].[who] AS NVARCHAR(max)), N'~') + N'|') + (isnull(convert(nvarchar(40), CAST([dbo].[Log].[at] AS datetime2(6)), 126), N'~') + N'|')), 2) COLLATE Latin1_General_100_BIN2) >= ? ORDER BY convert(varchar(64), hashbytes('SHA2_256', (isnull(CAST([dbo].[Log].[who] AS NVARCHAR(max)), N'~') + N'|') + (isnull(convert(nvarchar(40), CAST([dbo].[Log].[at] AS datetime2(6)), 126), N'~') + N'|')), 2) COLLATE Latin1_General_100_BIN2; -- ['ab']

-- fetch by key
SELECT TOP 5000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[email] AS c1, CASE WHEN (datalength([dbo].[Customer].[notes]) <= ?) THEN CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) ELSE NULL END AS c2, CASE WHEN (datalength([dbo].[Customer].[photo]) <= ?) THEN [dbo].[Customer].[photo] ELSE NULL END AS c3, datalength([dbo].[Customer].[notes]) AS n0, datalength([dbo].[Customer].[photo]) AS n1 FROM [dbo].[Customer] WHERE [dbo].[Customer].[id] IN (?, ?); -- [1000000, 4096, 7, 8]

-- fetch without a key
SELECT TOP 5000 convert(varchar(64), hashbytes('SHA2_256', (isnull(CAST([dbo].[Log].[who] AS NVARCHAR(max)), N'~') + N'|') + (isnull(convert(nvarchar(40), CAST([dbo].[Log].[at] AS datetime2(6)), 126), N'~') + N'|')), 2) COLLATE Latin1_General_100_BIN2 AS p0, [dbo].[Log].[who] AS c0, convert(nvarchar(40), CAST([dbo].[Log].[at] AS datetime2(6)), 126) AS c1 FROM [dbo].[Log] WHERE CAST(CAST(CAST([dbo].[Log].[who] AS NVARCHAR(max)) AS NVARCHAR(max)) AS VARBINARY(max)) IN (CAST(CAST(? AS NVARCHAR(max)) AS VARBINARY(max))) AND CAST([dbo].[Log].[at] AS datetime2(6)) = CAST(? AS datetime2(6)); -- ['Anna ', '2026-01-02 03:04:05.123456']

-- sample
SELECT min([dbo].[Customer].[id]) AS min_1 FROM [dbo].[Customer];
SELECT max([dbo].[Customer].[id]) AS max_1 FROM [dbo].[Customer];
SELECT TOP 1 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0 FROM [dbo].[Customer] WHERE [dbo].[Customer].[id] >= (SELECT ? + floor(rand(checksum(newid())) * ?) AS origin) ORDER BY [dbo].[Customer].[id]; -- [1, 89999]
SELECT TOP 10 [dbo].[Orders].[id] AS p0, [dbo].[Orders].[id] AS c0 FROM [dbo].[Orders] WHERE (1 = 1) ORDER BY rand(checksum(newid()));

-- text equal
SELECT TOP 1000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[email] AS c1 FROM [dbo].[Customer] WHERE [dbo].[Customer].[email] IN (?) AND CAST(CAST(CAST([dbo].[Customer].[email] AS NVARCHAR(max)) AS NVARCHAR(max)) AS VARBINARY(max)) IN (CAST(CAST(? AS NVARCHAR(max)) AS VARBINARY(max))) ORDER BY [dbo].[Customer].[id]; -- ['Anna@example.com', 'Anna@example.com']

-- text equal without case
SELECT TOP 1000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[email] AS c1 FROM [dbo].[Customer] WHERE [dbo].[Customer].[email] IN (?, ?) AND CAST(CAST(lower(CAST([dbo].[Customer].[email] AS NVARCHAR(max)) COLLATE Latin1_General_100_CI_AS_SC) AS NVARCHAR(max)) AS VARBINARY(max)) IN (CAST(CAST(? AS NVARCHAR(max)) AS VARBINARY(max)), CAST(CAST(? AS NVARCHAR(max)) AS VARBINARY(max))) ORDER BY [dbo].[Customer].[id]; -- ['Anna@example.com', 'b@example.com', 'anna@example.com', 'b@example.com']

-- padded text equal
SELECT TOP 1000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[code] AS c1 FROM [dbo].[Customer] WHERE CAST(CAST(lower(rtrim(CAST([dbo].[Customer].[code] AS NVARCHAR(max))) COLLATE Latin1_General_100_CI_AS_SC) AS NVARCHAR(max)) AS VARBINARY(max)) IN (CAST(CAST(? AS NVARCHAR(max)) AS VARBINARY(max))) ORDER BY [dbo].[Customer].[id]; -- ['a1']

-- long text equal
SELECT TOP 256 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, CASE WHEN (datalength([dbo].[Customer].[notes]) <= ?) THEN CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) ELSE NULL END AS c1, datalength([dbo].[Customer].[notes]) AS n0 FROM [dbo].[Customer] WHERE CAST(CAST(lower(CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) COLLATE Latin1_General_100_CI_AS_SC) AS NVARCHAR(max)) AS VARBINARY(max)) IN (CAST(CAST(? AS NVARCHAR(max)) AS VARBINARY(max))) ORDER BY [dbo].[Customer].[id]; -- [1000000, 'anna']

-- text begins
SELECT TOP 1000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[email] AS c1 FROM [dbo].[Customer] WHERE charindex(CAST(? AS NVARCHAR(4000)) COLLATE Latin1_General_100_BIN2, lower(CAST([dbo].[Customer].[email] AS NVARCHAR(max)) COLLATE Latin1_General_100_CI_AS_SC) COLLATE Latin1_General_100_BIN2) = ? ORDER BY [dbo].[Customer].[id]; -- ['100%_[a]', 1]

-- text contains
SELECT TOP 256 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, CASE WHEN (datalength([dbo].[Customer].[notes]) <= ?) THEN CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) ELSE NULL END AS c1, datalength([dbo].[Customer].[notes]) AS n0 FROM [dbo].[Customer] WHERE charindex(CAST(? AS NVARCHAR(4000)) COLLATE Latin1_General_100_BIN2, lower(CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) COLLATE Latin1_General_100_CI_AS_SC) COLLATE Latin1_General_100_BIN2) > ? ORDER BY [dbo].[Customer].[id]; -- [1000000, '100%_[a]', 0]

-- text contains a sigma
SELECT TOP 1000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[email] AS c1 FROM [dbo].[Customer] WHERE charindex(CAST(? AS NVARCHAR(4000)) COLLATE Latin1_General_100_BIN2, replace(lower(CAST([dbo].[Customer].[email] AS NVARCHAR(max)) COLLATE Latin1_General_100_CI_AS_SC), ?, ?) COLLATE Latin1_General_100_BIN2) > ? ORDER BY [dbo].[Customer].[id]; -- ['σίσυφοσ', 'ς', 'σ', 0]

-- phone digits
SELECT TOP 1000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[email] AS c1 FROM [dbo].[Customer] WHERE (CAST([dbo].[Customer].[email] AS NVARCHAR(max)) COLLATE Latin1_General_100_BIN2) LIKE ? ORDER BY [dbo].[Customer].[id]; -- ['%4%9%3%0%2%3%1%2%5%']

-- number
SELECT TOP 1000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[amount] AS c1 FROM [dbo].[Customer] WHERE [dbo].[Customer].[amount] IN (?, ?) ORDER BY [dbo].[Customer].[id]; -- [3, 4]

-- number between
SELECT TOP 1000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[amount] AS c1 FROM [dbo].[Customer] WHERE [dbo].[Customer].[amount] BETWEEN ? AND ? ORDER BY [dbo].[Customer].[id]; -- [Decimal('1'), Decimal('2')]

-- date
SELECT TOP 1000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, convert(nvarchar(40), CAST([dbo].[Customer].[born] AS date), 23) AS c1 FROM [dbo].[Customer] WHERE [dbo].[Customer].[born] IN (CAST(? AS date)) ORDER BY [dbo].[Customer].[id]; -- ['1990-01-01']

-- instant between
SELECT TOP 1000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, convert(nvarchar(40), CAST([dbo].[Customer].[seen] AS datetime2(6)), 126) AS c1 FROM [dbo].[Customer] WHERE [dbo].[Customer].[seen] BETWEEN CAST(? AS datetime2(6)) AND CAST(? AS datetime2(6)) ORDER BY [dbo].[Customer].[id]; -- ['2026-01-01', '2026-02-01 10:00:00']

-- inside a document
SELECT TOP 256 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, CASE WHEN (datalength([dbo].[Customer].[notes]) <= ?) THEN CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) ELSE NULL END AS c1, datalength([dbo].[Customer].[notes]) AS n0 FROM [dbo].[Customer] WHERE (CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) COLLATE Latin1_General_100_BIN2) LIKE ? ORDER BY [dbo].[Customer].[id]; -- [1000000, '%1%7%']

-- bytes
SELECT TOP 256 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, CASE WHEN (datalength([dbo].[Customer].[photo]) <= ?) THEN [dbo].[Customer].[photo] ELSE NULL END AS c1, datalength([dbo].[Customer].[photo]) AS n0 FROM [dbo].[Customer] WHERE datalength([dbo].[Customer].[photo]) <= ? ORDER BY [dbo].[Customer].[id]; -- [4096, 4096]

-- nothing to look for
SELECT TOP 10 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[email] AS c1 FROM [dbo].[Customer] WHERE (0 = 1) ORDER BY [dbo].[Customer].[id];

-- plan of a delete
SELECT TOP 5000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[email] AS c1, [dbo].[Customer].[code] AS c2, CASE WHEN (datalength([dbo].[Customer].[notes]) <= ?) THEN CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) ELSE NULL END AS c3, convert(nvarchar(40), CAST([dbo].[Customer].[born] AS date), 23) AS c4, convert(nvarchar(40), CAST([dbo].[Customer].[seen] AS datetime2(6)), 126) AS c5, convert(nvarchar(40), CAST([dbo].[Customer].[old] AS datetime2(3)), 126) AS c6, [dbo].[Customer].[live] AS c7, [dbo].[Customer].[amount] AS c8, lower(CAST([dbo].[Customer].[uid] AS NVARCHAR(36))) AS c9, CASE WHEN (datalength([dbo].[Customer].[photo]) <= ?) THEN [dbo].[Customer].[photo] ELSE NULL END AS c10, datalength([dbo].[Customer].[notes]) AS n0, datalength([dbo].[Customer].[photo]) AS n1 FROM [dbo].[Customer] WHERE [dbo].[Customer].[id] IN (?); -- [1000000, 4096, 7]
SELECT TOP 20000 [dbo].[Orders].[id] AS c0, [dbo].[Orders].[customer_id] AS c1 FROM [dbo].[Orders] WHERE [dbo].[Orders].[customer_id] = ?; -- [7]

-- plan of a change
SELECT CASE WHEN ((([amount]>=(0)))) THEN ? ELSE ? END AS anon_1, CASE WHEN (NOT ((([amount]>=(0))))) THEN ? ELSE ? END AS anon_2 FROM (SELECT TOP 1 [dbo].[Customer].[id] AS [id], CASE WHEN (1 = 1) THEN NULL ELSE [dbo].[Customer].[email] END AS [email], [dbo].[Customer].[code] AS [code], [dbo].[Customer].[notes] AS [notes], [dbo].[Customer].[born] AS [born], [dbo].[Customer].[seen] AS [seen], [dbo].[Customer].[old] AS [old], [dbo].[Customer].[live] AS [live], CASE WHEN (1 = 1) THEN ? ELSE [dbo].[Customer].[amount] END AS [amount], [dbo].[Customer].[uid] AS [uid], [dbo].[Customer].[photo] AS [photo] FROM [dbo].[Customer] WHERE [dbo].[Customer].[id] IN (?)) AS would_be; -- [1, 0, 1, 0, -1, 7]

-- apply a delete
BEGIN TRANSACTION;
SELECT TOP 5000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[email] AS c1, [dbo].[Customer].[code] AS c2, CASE WHEN (datalength([dbo].[Customer].[notes]) <= ?) THEN CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) ELSE NULL END AS c3, convert(nvarchar(40), CAST([dbo].[Customer].[born] AS date), 23) AS c4, convert(nvarchar(40), CAST([dbo].[Customer].[seen] AS datetime2(6)), 126) AS c5, convert(nvarchar(40), CAST([dbo].[Customer].[old] AS datetime2(3)), 126) AS c6, [dbo].[Customer].[live] AS c7, [dbo].[Customer].[amount] AS c8, lower(CAST([dbo].[Customer].[uid] AS NVARCHAR(36))) AS c9, CASE WHEN (datalength([dbo].[Customer].[photo]) <= ?) THEN [dbo].[Customer].[photo] ELSE NULL END AS c10, datalength([dbo].[Customer].[notes]) AS n0, datalength([dbo].[Customer].[photo]) AS n1 FROM [dbo].[Customer] WITH (UPDLOCK, ROWLOCK) WHERE [dbo].[Customer].[id] IN (?); -- [1000000, 4096, 7]
SELECT TOP 1 ? AS anon_1 FROM [dbo].[Orders] WHERE [dbo].[Orders].[customer_id] = ?; -- [1, 7]
DELETE FROM [dbo].[Customer] WHERE [dbo].[Customer].[id] IN (?); SELECT @@ROWCOUNT; -- [7]
COMMIT TRANSACTION;

-- apply a change
UPDATE [dbo].[Customer] SET [email]=NULL, [amount]=? WHERE [dbo].[Customer].[id] IN (?); SELECT @@ROWCOUNT; -- [1, 7]

-- verify
SELECT TOP 5000 [dbo].[Customer].[id] AS p0, [dbo].[Customer].[id] AS c0, [dbo].[Customer].[email] AS c1, [dbo].[Customer].[code] AS c2, CASE WHEN (datalength([dbo].[Customer].[notes]) <= ?) THEN CAST([dbo].[Customer].[notes] AS NVARCHAR(max)) ELSE NULL END AS c3, convert(nvarchar(40), CAST([dbo].[Customer].[born] AS date), 23) AS c4, convert(nvarchar(40), CAST([dbo].[Customer].[seen] AS datetime2(6)), 126) AS c5, convert(nvarchar(40), CAST([dbo].[Customer].[old] AS datetime2(3)), 126) AS c6, [dbo].[Customer].[live] AS c7, [dbo].[Customer].[amount] AS c8, lower(CAST([dbo].[Customer].[uid] AS NVARCHAR(36))) AS c9, CASE WHEN (datalength([dbo].[Customer].[photo]) <= ?) THEN [dbo].[Customer].[photo] ELSE NULL END AS c10, datalength([dbo].[Customer].[notes]) AS n0, datalength([dbo].[Customer].[photo]) AS n1 FROM [dbo].[Customer] WHERE [dbo].[Customer].[id] IN (?); -- [1000000, 4096, 7]
