// franz-go against a running broker: producer (all codecs, idempotent, transactional), group consumer, admin.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	. "tripos/clients/trip"
)

func client(options ...kgo.Opt) *kgo.Client {
	options = append(options, kgo.SeedBrokers(Address), kgo.AllowAutoTopicCreation(), kgo.RequestRetries(5))
	client, err := kgo.NewClient(options...)
	if err != nil {
		panic(err)
	}
	return client
}

func send(ctx context.Context, client *kgo.Client, topic string, values []string) error {
	var records []*kgo.Record
	for _, value := range Kept(values) {
		records = append(records, &kgo.Record{Topic: topic, Key: []byte("key"), Value: []byte(value)})
	}
	return client.ProduceSync(ctx, records...).FirstErr()
}

// So many values, and what more there is.
func consume(ctx context.Context, client *kgo.Client, count int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience())
	defer cancel()
	values := []string{}
	for len(values) < count && ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		for _, failure := range fetches.Errors() {
			if !errors.Is(failure.Err, context.DeadlineExceeded) {
				return nil, failure.Err
			}
		}
		fetches.EachRecord(func(record *kgo.Record) { values = append(values, string(record.Value)) })
	}
	more, end := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer end()
	client.PollFetches(more).EachRecord(func(record *kgo.Record) { values = append(values, string(record.Value)) })
	return values, nil
}

func expectValues(ctx context.Context, client *kgo.Client, expected []string) error {
	found, err := consume(ctx, client, len(expected))
	if err != nil {
		return err
	}
	return Expect(expected, found)
}

var fromStart = kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())

func checks() {
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		Check("produce and consume, "+codec, func(ctx context.Context) error {
			topic := Name + "-" + codec
			producer := client(kgo.ProducerBatchCompression(codecs[codec]))
			defer producer.Close()
			values := Values(1000)
			if err := send(ctx, producer, topic, values); err != nil {
				return err
			}
			consumer := client(kgo.ConsumeTopics(topic), fromStart)
			defer consumer.Close()
			return expectValues(ctx, consumer, values)
		})
	}
	Check("key, headers and time of creation", func(ctx context.Context) error {
		topic := Name + "-fields"
		producer := client(kgo.ConsumeTopics(topic), fromStart)
		defer producer.Close()
		sent := &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte(Kept([]string{"v", "w"})[0]), Timestamp: time.UnixMilli(1517141411123),
			Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("abc")}}}
		if Sabotage {
			sent.Key = []byte("other")
		}
		if err := producer.ProduceSync(ctx, sent).FirstErr(); err != nil {
			return err
		}
		records := producer.PollRecords(ctx, 1).Records()
		if len(records) != 1 {
			return fmt.Errorf("%d records", len(records))
		}
		got := records[0]
		return Expect("k v 1517141411123 trace=abc", fmt.Sprintf("%s %s %d %s=%s", got.Key, got.Value, got.Timestamp.UnixMilli(),
			got.Headers[0].Key, got.Headers[0].Value))
	})
	Check("a group goes on where it committed", goesOn)
	Check("two members share partitions (cooperative)", twoMembers)
	Check("transactions: committed ones are read, aborted ones are not", transactions)
	Check("transactions: consume, transform, produce exactly once", exactlyOnce)
	Check("admin: topics, offsets, groups", admin)
}

func goesOn(ctx context.Context) error {
	topic := Name + "-commit"
	producer := client()
	defer producer.Close()
	values := Values(100)
	if err := send(ctx, producer, topic, values); err != nil {
		return err
	}
	settings := []kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumerGroup(topic), fromStart, kgo.DisableAutoCommit()}
	first := client(settings...)
	if err := expectValues(ctx, first, values); err != nil {
		first.Close()
		return err
	}
	err := first.CommitRecords(ctx, &kgo.Record{Topic: topic, Partition: 0, Offset: 59})
	first.Close()
	if err != nil {
		return err
	}
	second := client(settings...)
	defer second.Close()
	return expectValues(ctx, second, values[60:])
}

func twoMembers(ctx context.Context) error {
	topic := Name + "-shared"
	adminClient := kadm.NewClient(client())
	defer adminClient.Close()
	if _, err := adminClient.CreateTopic(ctx, 4, 1, nil, topic); err != nil {
		return err
	}
	settings := []kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumerGroup(topic), fromStart, kgo.Balancers(kgo.CooperativeStickyBalancer())}
	first, second := client(settings...), client(settings...)
	defer first.Close()
	defer second.Close()
	poll := func(client *kgo.Client) {
		for ctx.Err() == nil {
			client.PollFetches(ctx)
		}
	}
	go poll(first)
	if !Sabotage {
		go poll(second)
	}
	for end := time.Now().Add(Patience()); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		described, err := adminClient.DescribeGroups(ctx, topic)
		if err != nil {
			return err
		}
		shares := []int{}
		for _, member := range described[topic].Members {
			if assigned, is := member.Assigned.AsConsumer(); is && len(assigned.Topics) == 1 {
				shares = append(shares, len(assigned.Topics[0].Partitions))
			}
		}
		if len(shares) == 2 && shares[0] == 2 && shares[1] == 2 && !Sabotage {
			return nil
		}
	}
	return errors.New("they did not come to share it")
}

func inTransaction(ctx context.Context, producer *kgo.Client, topic, value string, end kgo.TransactionEndTry) error {
	if err := producer.BeginTransaction(); err != nil {
		return err
	}
	for range 2 {
		record := &kgo.Record{Topic: topic, Key: []byte("key"), Value: []byte(value)}
		if err := producer.ProduceSync(ctx, record).FirstErr(); err != nil {
			return errors.Join(err, producer.EndTransaction(ctx, kgo.TryAbort))
		}
	}
	return producer.EndTransaction(ctx, end)
}

func transactions(ctx context.Context) error {
	topic := Name + "-transactions"
	producer := client(kgo.TransactionalID(topic))
	defer producer.Close()
	ends := []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TransactionEndTry(!Sabotage)}
	for i, end := range ends {
		if err := inTransaction(ctx, producer, topic, fmt.Sprint("value ", i), end); err != nil {
			return err
		}
	}
	consumer := client(kgo.ConsumeTopics(topic), fromStart, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer consumer.Close()
	return expectValues(ctx, consumer, []string{"value 0", "value 0", "value 2", "value 2"})
}

// Moves records from one topic to another; the session dies once within a transaction, and another one goes on.
func exactlyOnce(ctx context.Context) error {
	from, to := Name+"-from", Name+"-to"
	producer := client()
	defer producer.Close()
	values := Values(100)
	if err := send(ctx, producer, from, values); err != nil {
		return err
	}
	for attempt := range 2 {
		session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(Address), kgo.AllowAutoTopicCreation(), kgo.ConsumeTopics(from),
			kgo.ConsumerGroup(from), fromStart, kgo.TransactionalID(from), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		if err != nil {
			return err
		}
		moved := 0
		for moved < 100 {
			records := session.PollFetches(ctx).Records()
			if ctx.Err() != nil {
				session.Close()
				return ctx.Err()
			}
			if err := session.Begin(); err != nil {
				session.Close()
				return err
			}
			for _, record := range records {
				moved++
				session.Produce(ctx, &kgo.Record{Topic: to, Key: []byte("key"), Value: record.Value}, nil)
			}
			// The first session gives up what it did.
			if _, err := session.End(ctx, kgo.TransactionEndTry(attempt == 1)); err != nil {
				session.Close()
				return err
			}
			if Sabotage && moved >= 99 {
				break
			}
		}
		session.Close()
	}
	consumer := client(kgo.ConsumeTopics(to), fromStart, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer consumer.Close()
	return expectValues(ctx, consumer, values)
}

func admin(ctx context.Context) error {
	topic := Name + "-admin"
	adminClient := kadm.NewClient(client())
	defer adminClient.Close()
	if _, err := adminClient.CreateTopic(ctx, 3, 1, nil, topic); err != nil {
		return err
	}
	if _, err := adminClient.CreateTopic(ctx, 3, 1, nil, topic); !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("created twice: %w", err)
	}
	topics, err := adminClient.ListTopics(ctx, topic)
	if err != nil {
		return err
	}
	expected := 3
	if Sabotage {
		expected = 2
	}
	if err := Expect(expected, len(topics[topic].Partitions)); err != nil {
		return err
	}
	ends, err := adminClient.ListEndOffsets(ctx, Name+"-commit")
	if err != nil {
		return err
	}
	if end, _ := ends.Lookup(Name+"-commit", 0); end.Offset != 100 {
		return fmt.Errorf("the end of what was sent is %d", end.Offset)
	}
	groups, err := adminClient.ListGroups(ctx)
	if err != nil {
		return err
	}
	if _, there := groups[Name+"-commit"]; !there {
		return errors.New("the group is not listed")
	}
	_, err = adminClient.DeleteTopic(ctx, topic)
	return err
}

func main() { Run(checks) }
