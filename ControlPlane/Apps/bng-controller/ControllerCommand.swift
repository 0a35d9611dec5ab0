// SPDX-License-Identifier: Apache-2.0
// The command line of bng-controller.

import AdminAPI
import ArgumentParser
import BNGConfiguration
import Foundation
import Logging
import ServiceLifecycle
import Telemetry

/// Version of this build.
let controllerVersion = "0.1.0"

@main
struct ControllerProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bng-controller",
        abstract: "Control plane of a broadband network gateway: sessions, addresses and desired state for all nodes.",
        discussion: """
            Exit codes: 0 ended by SIGTERM or SIGINT, or the configuration is valid; 1 could not run; 2 the configuration is
            wrong; 64 wrong options.
            """,
        version: controllerVersion, subcommands: [ControllerCommand.self, AuthorityCommand.self],
        defaultSubcommand: ControllerCommand.self)
}

struct ControllerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Run (the default).")

    @Option(name: .shortAndLong, help: "The configuration file (docs/operate/configuration.md).")
    var config: String

    @Flag(help: "Read the configuration, say what is wrong with it, and exit.")
    var check = false

    func run() async throws {
        let configuration = try self.readConfiguration()
        if self.check {
            print("\(self.config): valid: \(configuration.nodes.count) nodes, \(configuration.pools.count) pools")
            try self.checkSubscribers(configuration)
            return
        }
        let logger = Self.bootstrapLogging(configuration.log)
        do {
            try await self.serve(configuration, logger)
        } catch {
            logger.critical("cannot run", metadata: ["error": "\(error)"])
            throw ExitCode(1)
        }
    }

    private func readConfiguration() throws -> ControllerConfiguration {
        let text: String
        do {
            text = try String(contentsOfFile: self.config, encoding: .utf8)
        } catch {
            Self.complain("\(self.config): cannot be read: \(error.localizedDescription)\n")
            throw ExitCode(2)
        }
        do {
            return try ControllerConfiguration(yaml: text, file: self.config)
        } catch {
            Self.complain("\(error)\n")
            throw ExitCode(2)
        }
    }

    private func checkSubscribers(_ configuration: ControllerConfiguration) throws {
        guard !configuration.aaa.subscribers.isEmpty else { return }
        do {
            let subscribers = try configuration.subscribersOfFile()
            print("\(configuration.aaa.subscribers): valid: \(subscribers.count) subscribers")
        } catch {
            Self.complain("\(error)\n")
            throw ExitCode(2)
        }
    }

    private static func complain(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    private static func bootstrapLogging(_ settings: LogSettings) -> Logger {
        let level = Logger.Level(rawValue: settings.level.rawValue) ?? .info
        let format: StructuredLogHandler.Format = settings.format == .json ? .json : .text
        LoggingSystem.bootstrap { StructuredLogHandler(label: $0, level: level, format: format) }
        return Logger(label: "controller")
    }

    private func serve(_ configuration: ControllerConfiguration, _ logger: Logger) async throws {
        let controller = try await Controller(configuration, logger: logger)
        try await controller.start()
        let backend = ControllerBackend(controller)
        var services: [any Service] = [controller]
        services.append(
            AdminServer.operatorSocket(
                path: configuration.admin.socket, admitted: try Self.admitted(configuration.admin), backend: backend,
                loops: controller.adminLoops, logger: Logger(label: "admin")))
        if let http = configuration.admin.http {
            services.append(
                AdminServer.monitoring(
                    host: http.host, port: http.port, backend: backend, loops: controller.adminLoops,
                    logger: Logger(label: "http")))
        }
        let group = ServiceGroup(
            configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }

    private static func admitted(_ settings: AdminSettings) throws -> AdmittedUsers {
        var admitted = AdmittedUsers(userIDs: [0, getuid()])
        guard !settings.group.isEmpty else { return admitted }
        guard let group = getgrnam(settings.group) else {
            throw StartError(description: "admin.group: there is no group \"\(settings.group)\"")
        }
        admitted.groupID = group.pointee.gr_gid
        return admitted
    }
}

/// Why the controller could not start.
struct StartError: Error, CustomStringConvertible {
    var description: String
}
