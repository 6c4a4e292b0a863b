// Kafka's own Java client against a running broker: RoundTrip HOST:PORT NAME [--sabotage]
// Producer (all codecs, idempotent, transactional), consumer (group, seek, by time, read_committed), admin. Prints what compat.py reads.
// NAME begins the names of topics and groups. --sabotage: a record is kept back, which the checks must find.

import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

public class RoundTrip {
    static String address;
    static String name;
    static boolean sabotage;
    static boolean failed = false;

    interface Check {
        void run() throws Exception;
    }

    static void check(String what, Check check) {
        try {
            check.run();
            System.out.println("pass  " + what);
        } catch (Throwable error) {
            failed = true;
            Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
            System.out.println("FAIL  " + what + "  (" + String.valueOf(cause).replace('\n', ' ') + ")");
        }
    }

    static void expect(Object expected, Object found) {
        if (!Objects.equals(expected, found)) throw new AssertionError("expected " + shorten(expected) + ", found " + shorten(found));
    }

    static String shorten(Object value) {
        String text = String.valueOf(value);
        return text.length() > 300 ? text.substring(0, 300) + "…" : text;
    }

    static Map<String, Object> with(Object... pairs) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", address);
        for (int i = 0; i < pairs.length; i += 2) settings.put((String) pairs[i], pairs[i + 1]);
        return settings;
    }

    static KafkaProducer<String, String> producer(Object... pairs) {
        return new KafkaProducer<>(with(pairs), new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(Object... pairs) {
        Map<String, Object> settings = with(pairs);
        settings.putIfAbsent("auto.offset.reset", "earliest");
        settings.putIfAbsent("enable.auto.commit", "false");
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    static List<ConsumerRecord<String, String>> poll(KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (records.size() < count && System.nanoTime() < end) consumer.poll(Duration.ofMillis(200)).forEach(records::add);
        consumer.poll(Duration.ofMillis(300)).forEach(records::add);  // more than there should be shows too
        return records;
    }

    static List<String> values(List<ConsumerRecord<String, String>> records) {
        return records.stream().map(ConsumerRecord::value).collect(Collectors.toList());
    }

    static List<String> send(KafkaProducer<String, String> producer, String topic, int from, int count) throws Exception {
        List<String> sent = new ArrayList<>();
        List<java.util.concurrent.Future<RecordMetadata>> acknowledged = new ArrayList<>();
        for (int i = from; i < from + count; ++i) {
            String value = "value " + i + " " + "x".repeat(i % 100);
            sent.add(value);
            if (sabotage && i == from + count / 2) continue;
            acknowledged.add(producer.send(new ProducerRecord<>(topic, 0, "key " + i, value)));
        }
        producer.flush();
        for (var one : acknowledged) one.get();
        return sent;
    }

    static void create(Admin admin, String topic, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
    }

    static void producing(Admin admin) {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            check("produce and consume, " + codec, () -> {
                String topic = name + "-" + codec;
                create(admin, topic, 1);
                List<String> sent;
                try (var producer = producer("compression.type", codec, "linger.ms", "5", "enable.idempotence", "true")) {
                    sent = send(producer, topic, 0, 2000);
                }
                try (var consumer = consumer("group.id", topic)) {
                    consumer.subscribe(List.of(topic));
                    expect(sent, values(poll(consumer, sent.size())));
                }
            });
        }
        check("keys, headers and time of creation", () -> {
            String topic = name + "-fields";
            create(admin, topic, 1);
            try (var producer = producer()) {
                var record = new ProducerRecord<>(topic, 0, 1517141411123L, "key", sabotage ? "other" : "value");
                record.headers().add("trace", new byte[] {1, 2}).add("empty", null);
                expect(0L, producer.send(record).get().offset());
                producer.send(new ProducerRecord<>(topic, 0, "key", null)).get();
            }
            try (var consumer = consumer()) {
                consumer.assign(List.of(new TopicPartition(topic, 0)));
                var records = poll(consumer, 2);
                expect(2, records.size());
                expect("key/value/1517141411123", records.get(0).key() + "/" + records.get(0).value() + "/" + records.get(0).timestamp());
                expect("[1, 2]", Arrays.toString(records.get(0).headers().lastHeader("trace").value()));
                expect(null, records.get(0).headers().lastHeader("empty").value());
                expect(null, records.get(1).value());
            }
        });
        check("a record above max.message.bytes is refused", () -> {
            String topic = name + "-large";
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1).configs(Map.of("max.message.bytes", "1000")))).all().get();
            try (var producer = producer()) {
                producer.send(new ProducerRecord<>(topic, "x".repeat(sabotage ? 10 : 5000))).get();
                throw new AssertionError("it was taken");
            } catch (ExecutionException error) {
                expect(RecordTooLargeException.class, error.getCause().getClass());
            }
        });
    }

    static void consuming(Admin admin) {
        String topic = name + "-consumed";
        check("a group goes on where it committed", () -> {
            create(admin, topic, 1);
            List<String> sent;
            try (var producer = producer()) {
                sent = send(producer, topic, 0, 100);
            }
            try (var consumer = consumer("group.id", topic, "max.poll.records", "40")) {
                consumer.subscribe(List.of(topic));
                List<String> got = new ArrayList<>();
                while (got.size() < 40) got.addAll(values(toList(consumer.poll(Duration.ofSeconds(10)))));
                expect(sent.subList(0, got.size()), got);
                consumer.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(40, "mine")));
            }
            try (var consumer = consumer("group.id", topic)) {
                consumer.subscribe(List.of(topic));
                expect(sent.subList(40, 100), values(poll(consumer, 60)));
                var committed = consumer.committed(Set.of(new TopicPartition(topic, 0))).get(new TopicPartition(topic, 0));
                expect("40 mine", committed.offset() + " " + committed.metadata());
            }
        });
        check("two members share partitions (cooperative)", () -> {
            String shared = name + "-shared";
            create(admin, shared, 4);
            String assignor = CooperativeStickyAssignor.class.getName();
            try (var first = consumer("group.id", shared, "partition.assignment.strategy", assignor);
                 var second = consumer("group.id", shared, "partition.assignment.strategy", assignor)) {
                first.subscribe(List.of(shared));
                if (!sabotage) second.subscribe(List.of(shared));
                long end = System.nanoTime() + Duration.ofSeconds(sabotage ? 3 : 40).toNanos();
                while (System.nanoTime() < end && !(first.assignment().size() == 2 && second.assignment().size() == 2)) {
                    first.poll(Duration.ofMillis(100));
                    if (!sabotage) second.poll(Duration.ofMillis(100));
                }
                expect(2, first.assignment().size());
                Set<TopicPartition> both = new HashSet<>(first.assignment());
                both.addAll(second.assignment());
                expect(4, both.size());
            }
        });
        check("offsets by time, beginning and end", () -> {
            String timed = name + "-timed";
            create(admin, timed, 1);
            try (var producer = producer()) {
                for (int i = 0; i < 10; ++i) producer.send(new ProducerRecord<>(timed, 0, 1_000_000L + 1000 * i, "k", "v"));
            }
            var partition = new TopicPartition(timed, 0);
            try (var consumer = consumer()) {
                expect(4L, consumer.offsetsForTimes(Map.of(partition, 1_003_500L)).get(partition).offset());
                expect(0L, consumer.beginningOffsets(List.of(partition)).get(partition));
                expect(sabotage ? 9L : 10L, consumer.endOffsets(List.of(partition)).get(partition));
            }
            expect(9L, admin.listOffsets(Map.of(partition, OffsetSpec.maxTimestamp())).partitionResult(partition).get().offset());
        });
    }

    static List<ConsumerRecord<String, String>> toList(ConsumerRecords<String, String> records) {
        List<ConsumerRecord<String, String>> list = new ArrayList<>();
        records.forEach(list::add);
        return list;
    }

    static void transactions(Admin admin) {
        String topic = name + "-transactions";
        check("transactions: committed ones are read, aborted ones are not", () -> {
            create(admin, topic, 1);
            List<String> sent = new ArrayList<>();
            try (var producer = producer("transactional.id", topic)) {
                producer.initTransactions();
                producer.beginTransaction();
                sent.addAll(send(producer, topic, 0, 50));
                producer.commitTransaction();
                producer.beginTransaction();
                send(producer, topic, 1000, 50);
                producer.abortTransaction();
                producer.beginTransaction();
                sent.addAll(send(producer, topic, 50, 50));
                producer.commitTransaction();
            }
            try (var consumer = consumer("isolation.level", "read_committed")) {
                consumer.assign(List.of(new TopicPartition(topic, 0)));
                expect(sent, values(poll(consumer, sent.size())));
            }
            try (var consumer = consumer()) {
                consumer.assign(List.of(new TopicPartition(topic, 0)));
                expect(150, poll(consumer, 150).size());
            }
        });
        check("transactions: offsets are committed with them", () -> {
            String group = name + "-exactly-once";
            var partition = new TopicPartition(topic, 0);
            try (var producer = producer("transactional.id", group)) {
                producer.initTransactions();
                producer.beginTransaction();
                producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(7)), new ConsumerGroupMetadata(group));
                producer.abortTransaction();
                producer.beginTransaction();
                producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(sabotage ? 8 : 9)), new ConsumerGroupMetadata(group));
                producer.commitTransaction();
            }
            expect(9L, admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(partition).offset());
        });
        check("transactions: an older producer of the same id is fenced", () -> {
            String id = name + "-fenced";
            try (var old = producer("transactional.id", id); var young = producer("transactional.id", sabotage ? id + "-2" : id)) {
                old.initTransactions();
                old.beginTransaction();
                young.initTransactions();
                try {
                    old.send(new ProducerRecord<>(topic, "fenced"));
                    old.commitTransaction();
                    throw new AssertionError("it was not");
                } catch (ProducerFencedException | InvalidProducerEpochException fenced) {
                    // as it should be
                }
            }
        });
    }

    static void administration(Admin admin) {
        String topic = name + "-admin";
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        check("admin: create, list, describe topics", () -> {
            create(admin, topic, sabotage ? 2 : 3);
            expect(true, admin.listTopics().names().get().contains(topic));
            expect(3, admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
            try {
                create(admin, topic, 3);
                throw new AssertionError("created twice");
            } catch (ExecutionException error) {
                expect(TopicExistsException.class, error.getCause().getClass());
            }
        });
        check("admin: describe and alter configurations", () -> {
            var entry = new ConfigEntry("retention.ms", sabotage ? "7200000" : "3600000");
            admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET)))).all().get();
            var configs = admin.describeConfigs(List.of(resource)).all().get().get(resource);
            expect("3600000", configs.get("retention.ms").value());
            expect(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, configs.get("retention.ms").source());
            expect(true, configs.get("segment.bytes").isDefault());
        });
        check("admin: more partitions", () -> {
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(sabotage ? 6 : 5))).all().get();
            expect(5, admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
        });
        check("admin: delete records", () -> {
            var partition = new TopicPartition(topic, 0);
            try (var producer = producer()) {
                for (int i = 0; i < 10; ++i) producer.send(new ProducerRecord<>(topic, 0, "k", "v"));
            }
            admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(sabotage ? 3 : 4))).all().get();
            expect(4L, admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).partitionResult(partition).get().offset());
        });
        check("admin: groups", () -> {
            String group = name + "-consumed";
            expect(true, admin.listConsumerGroups().all().get().stream().anyMatch(each -> each.groupId().equals(group)));
            expect("Empty", admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState().toString());
            if (!sabotage) admin.deleteConsumerGroups(List.of(group)).all().get();
            expect(false, admin.listConsumerGroups().all().get().stream().anyMatch(each -> each.groupId().equals(group)));
        });
        check("admin: cluster and log directories", () -> {
            var nodes = admin.describeCluster().nodes().get();
            expect(sabotage ? 2 : 1, nodes.size());
            int node = nodes.iterator().next().id();
            var directories = admin.describeLogDirs(List.of(node)).allDescriptions().get().get(node);
            expect(true, directories.values().stream().anyMatch(each -> each.replicaInfos().containsKey(new TopicPartition(topic, 0))));
        });
        check("admin: delete a topic", () -> {
            if (!sabotage) admin.deleteTopics(List.of(topic)).all().get();
            expect(false, admin.listTopics().names().get().contains(topic));
        });
    }

    public static void main(String[] arguments) {
        address = arguments[0];
        name = arguments[1];
        sabotage = arguments.length > 2 && arguments[2].equals("--sabotage");
        try (Admin admin = Admin.create(with("default.api.timeout.ms", "20000", "request.timeout.ms", "10000"))) {
            producing(admin);
            consuming(admin);
            transactions(admin);
            administration(admin);
        }
        System.out.println("done");
        System.exit(failed ? 1 : 0);
    }
}
