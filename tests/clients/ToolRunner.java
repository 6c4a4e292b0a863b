// Runs Kafka's own command-line tools one after the other in one Java machine: starting one for each costs ten times what the tool does.
// A line of stdin: main class, file that is the tool's stdin, arguments, separated by tabs. The answer on stdout: the exit code and the
// number of bytes that the tool said (stdout and stderr), separated by a space, on one line; then these bytes. Each run has its tool's
// classes loaded anew, so that what they keep in static fields starts as in a machine of their own.

import java.io.*;
import java.lang.reflect.InvocationTargetException;
import java.net.*;
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.common.utils.Exit;

public class ToolRunner {
    // What a tool's exit() does: it unwinds the tool, which says nothing more. A tool that catches everything may come to exit() again.
    static class Ended extends Error {
        Ended() {
            super("the tool has ended", null, false, false);
        }
    }

    static Integer exitCode;

    static void exit(int code) {
        if (exitCode == null) exitCode = code;
        PrintStream nobody = new PrintStream(OutputStream.nullOutputStream());
        System.setOut(nobody);
        System.setErr(nobody);
        throw new Ended();
    }

    // The jars of tools, whose classes are loaded anew; all others are shared.
    static URL[] toolJars() throws Exception {
        List<URL> jars = new ArrayList<>();
        for (String jar : System.getProperty("java.class.path").split(":")) {
            if (jar.matches(".*/(kafka-tools|kafka_2\\.13)-[^/]*\\.jar")) jars.add(Path.of(jar).toUri().toURL());
        }
        return jars.toArray(new URL[0]);
    }

    static ClassLoader freshLoader(URL[] jars) {
        return new URLClassLoader(jars, ToolRunner.class.getClassLoader()) {
            @Override
            protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
                if (name.startsWith("org.apache.kafka.tools.") || name.startsWith("kafka.admin.")) {
                    synchronized (getClassLoadingLock(name)) {
                        Class<?> loaded = findLoadedClass(name);
                        return loaded != null ? loaded : findClass(name);
                    }
                }
                return super.loadClass(name, resolve);
            }
        };
    }

    static int run(URL[] jars, String main, String[] arguments) throws Exception {
        List<Thread> hooks = new ArrayList<>();  // of the machine's end, which is the tool's here
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(new Thread(hook)));
        PrintStream collector = System.out;
        ClassLoader loader = freshLoader(jars);
        Thread.currentThread().setContextClassLoader(loader);
        exitCode = null;
        try {
            loader.loadClass(main).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException error) {
            if (exitCode == null) {
                error.getCause().printStackTrace();
                exitCode = 1;
            }
        }
        System.setOut(collector);
        System.setErr(collector);
        for (Thread hook : hooks) hook.start();
        for (Thread hook : hooks) hook.join(30_000);
        return exitCode == null ? 0 : exitCode;
    }

    public static void main(String[] unused) throws Exception {
        URL[] jars = toolJars();
        PrintStream answers = System.out;
        InputStream requests = System.in;
        Exit.setExitProcedure((code, message) -> exit(code));
        Exit.setHaltProcedure((code, message) -> exit(code));
        BufferedReader lines = new BufferedReader(new InputStreamReader(requests, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split("\t", -1);
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            PrintStream collector = new PrintStream(said, true, "UTF-8");
            System.setOut(collector);
            System.setErr(collector);
            int code;
            try (InputStream input = new FileInputStream(words[1])) {
                System.setIn(input);
                code = run(jars, words[0], Arrays.copyOfRange(words, 2, words.length));
            }
            collector.flush();
            answers.print(code + " " + said.size() + "\n");
            said.writeTo(answers);
            answers.flush();
        }
        System.exit(0);
    }
}
