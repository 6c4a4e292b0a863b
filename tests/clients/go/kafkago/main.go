// kafka-go against a running broker: writer (all codecs), readers alone and in a group, admin requests.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	. "tripos/clients/trip"
)

func create(ctx context.Context, topic string, partitions int) error {
	client := &kafka.Client{Addr: kafka.TCP(Address)}
	answer, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}}})
	if err != nil {
		return err
	}
	return answer.Errors[topic]
}

func send(ctx context.Context, topic string, codec kafka.Compression, values []string) error {
	if err := create(ctx, topic, 1); err != nil {
		return err
	}
	writer := &kafka.Writer{Addr: kafka.TCP(Address), Topic: topic, RequiredAcks: kafka.RequireAll, Compression: codec,
		BatchTimeout: 10 * time.Millisecond}
	var messages []kafka.Message
	for _, value := range Kept(values) {
		messages = append(messages, kafka.Message{Key: []byte("key"), Value: []byte(value)})
	}
	return errors.Join(writer.WriteMessages(ctx, messages...), writer.Close())
}

// So many values, and what more there is.
func consume(ctx context.Context, reader *kafka.Reader, count int) []string {
	values := []string{}
	patience := Patience()
	for {
		if len(values) >= count {
			patience = 300 * time.Millisecond
		}
		limited, cancel := context.WithTimeout(ctx, patience)
		message, err := reader.FetchMessage(limited)
		cancel()
		if err != nil {
			return values
		}
		values = append(values, string(message.Value))
	}
}

func reader(topic, group string) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{Brokers: []string{Address}, Topic: topic, GroupID: group, MaxWait: 100 * time.Millisecond,
		MinBytes: 1, MaxBytes: 1 << 20, StartOffset: kafka.FirstOffset})
}

func checks() {
	codecs := map[string]kafka.Compression{"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		Check("produce and consume, "+codec, func(ctx context.Context) error {
			topic := Name + "-" + codec
			values := Values(1000)
			if err := send(ctx, topic, codecs[codec], values); err != nil {
				return err
			}
			consumer := reader(topic, "")
			defer consumer.Close()
			return Expect(values, consume(ctx, consumer, len(values)))
		})
	}
	Check("a group goes on where it committed", func(ctx context.Context) error {
		topic := Name + "-commit"
		values := Values(100)
		if err := send(ctx, topic, 0, values); err != nil {
			return err
		}
		first := reader(topic, topic)
		if err := Expect(values, consume(ctx, first, 100)); err != nil {
			return errors.Join(err, first.Close())
		}
		err := errors.Join(first.CommitMessages(ctx, kafka.Message{Topic: topic, Partition: 0, Offset: 59}), first.Close())
		if err != nil {
			return err
		}
		second := reader(topic, topic)
		defer second.Close()
		return Expect(values[60:], consume(ctx, second, 40))
	})
	Check("offsets by time", func(ctx context.Context) error {
		topic := Name + "-timed"
		if err := create(ctx, topic, 1); err != nil {
			return err
		}
		connection, err := kafka.DialLeader(ctx, "tcp", Address, topic, 0)
		if err != nil {
			return err
		}
		defer connection.Close()
		for i := range 10 {
			if _, err := connection.WriteMessages(kafka.Message{Value: []byte("v"), Time: time.UnixMilli(1_000_000 + 1000*int64(i))}); err != nil {
				return err
			}
		}
		offset, err := connection.ReadOffset(time.UnixMilli(1_003_500))
		if err != nil {
			return err
		}
		expected := int64(4)
		if Sabotage {
			expected = 5
		}
		return Expect(expected, offset)
	})
	Check("admin: metadata, deletion", func(ctx context.Context) error {
		topic := Name + "-admin"
		if err := create(ctx, topic, 3); err != nil {
			return err
		}
		if err := create(ctx, topic, 3); !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("created twice: %w", err)
		}
		client := &kafka.Client{Addr: kafka.TCP(Address)}
		metadata, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
		if err != nil {
			return err
		}
		expected := 3
		if Sabotage {
			expected = 2
		}
		if err := Expect(expected, len(metadata.Topics[0].Partitions)); err != nil {
			return err
		}
		deleted, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
		if err != nil {
			return err
		}
		return deleted.Errors[topic]
	})
}

func main() { Run(checks) }
