// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// All Swift targets, ordered by layer: Core, Protocols, Domain, Contract, Drivers, Apps, tests.
// A target may depend on targets of lower layers only; `make tree` checks it.

import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]
let generated: [SwiftSetting] = [.swiftLanguageMode(.v6)]

func pure(_ name: String, in folder: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "ControlPlane/\(folder)/\(name)", swiftSettings: strict)
}

func unitTests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/ControlPlane/\(name)", swiftSettings: strict)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let core: [Target] = [
    pure("BNGCore", in: "Core", [])
]

let protocols: [Target] = [
    pure("DHCPv4", in: "Protocols", ["BNGCore"]),
    pure("DHCPv6", in: "Protocols", ["BNGCore"]),
    pure("Ethernet", in: "Protocols", ["BNGCore"]),
    pure("IPFIX", in: "Protocols", ["BNGCore"]),
    pure("LeaseClient", in: "Protocols", ["BNGCore"]),
    pure("NeighborDiscovery", in: "Protocols", ["BNGCore"]),
    pure("PCP", in: "Protocols", ["BNGCore"]),
    pure("PPP", in: "Protocols", ["BNGCore"]),
    pure("PPPoE", in: "Protocols", ["BNGCore"]),
    pure("RADIUS", in: "Protocols", ["BNGCore"]),
    pure("Syslog", in: "Protocols", ["BNGCore"]),
]

let domain: [Target] = [
    pure("Addressing", in: "Domain", ["BNGCore"]),
    pure("Fleet", in: "Domain", ["BNGCore"]),
    pure("Subscribers", in: "Domain", ["BNGCore", "PPP"]),
]

let contract: [Target] = [
    .target(
        name: "AgentProto", dependencies: [protobuf],
        path: "ControlPlane/Contract/AgentContract/Generated", swiftSettings: generated),
    .target(
        name: "AgentContract", dependencies: ["AgentProto", "BNGCore", "Fleet", protobuf, crypto],
        path: "ControlPlane/Contract/AgentContract/Mapping", swiftSettings: strict),
    pure("AdminContract", in: "Contract", []),
    pure("RADIUSContract", in: "Contract", ["BNGCore", "RADIUS", "Subscribers"]),
]

let drivers: [Target] = [
    .target(
        name: "BNGConfiguration",
        dependencies: [
            "Addressing", "BNGCore", "Fleet", "IPFIX", "NeighborDiscovery", "PPPoE", "RADIUS", "RADIUSContract",
            "Subscribers", "Syslog",
            .product(name: "Yams", package: "Yams"),
        ],
        path: "ControlPlane/Drivers/BNGConfiguration", swiftSettings: strict),
    .target(
        name: "AgentDriver",
        dependencies: nio + [
            "AgentContract", "AgentProto", "BNGCore", "Fleet", protobuf, logging, x509, asn1,
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ],
        path: "ControlPlane/Drivers/AgentDriver", swiftSettings: strict),
    .target(
        name: "NodeAuthority", dependencies: ["BNGCore", crypto, x509, asn1],
        path: "ControlPlane/Drivers/NodeAuthority", swiftSettings: strict),
    .target(
        name: "Store",
        dependencies: ["BNGCore", "Fleet", "Subscribers", logging, .product(name: "GRDB", package: "GRDB.swift")],
        path: "ControlPlane/Drivers/Store", swiftSettings: strict),
    .target(
        name: "LocalAAA",
        dependencies: [
            "BNGCore", "Subscribers", crypto, cryptoExtras, .product(name: "NIOPosix", package: "swift-nio"),
        ],
        path: "ControlPlane/Drivers/LocalAAA", swiftSettings: strict),
    .target(
        name: "SubscriberDriver",
        dependencies: nio + [
            "BNGCore", "DHCPv4", "DHCPv6", "Ethernet", "Addressing", "Fleet", "NeighborDiscovery", "PCP", "PPP",
            "PPPoE",
            "Subscribers", logging,
        ],
        path: "ControlPlane/Drivers/SubscriberDriver", swiftSettings: strict),
    .target(
        name: "DHCPServerDriver", dependencies: nio + ["BNGCore", "DHCPv4", "DHCPv6", "LeaseClient", logging],
        path: "ControlPlane/Drivers/DHCPServerDriver", swiftSettings: strict),
    .target(
        name: "AccountingDriver",
        dependencies: [.product(name: "NIOCore", package: "swift-nio"), "BNGCore", "Subscribers", logging],
        path: "ControlPlane/Drivers/AccountingDriver", swiftSettings: strict),
    .target(
        name: "NATRecordsDriver", dependencies: ["BNGCore", "IPFIX", "Subscribers", "Syslog", logging],
        path: "ControlPlane/Drivers/NATRecordsDriver", swiftSettings: strict),
    .target(
        name: "AdminAPI",
        dependencies: nio + [
            "AdminContract", logging,
            .product(name: "Hummingbird", package: "hummingbird"),
        ],
        path: "ControlPlane/Drivers/AdminAPI", swiftSettings: strict),
    .target(
        name: "RADIUSDriver",
        dependencies: nio + [
            "BNGCore", "RADIUS", "RADIUSContract", "Subscribers", logging, crypto,
            .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOTLS", package: "swift-nio"),
        ],
        path: "ControlPlane/Drivers/RADIUSDriver", swiftSettings: strict),
    .target(
        name: "Telemetry", dependencies: ["BNGCore", logging],
        path: "ControlPlane/Drivers/Telemetry", swiftSettings: strict),
]

let apps: [Target] = [
    .executableTarget(
        name: "bng-controller",
        dependencies: nio + [
            "AccountingDriver", "AdminAPI", "AdminContract", "AgentContract", "AgentDriver", "Addressing", "BNGCore",
            "BNGConfiguration",
            "DHCPServerDriver", "DHCPv4", "DHCPv6", "Fleet", "LocalAAA", "NATRecordsDriver",
            "NeighborDiscovery", "NodeAuthority", "PPP", "RADIUS", "RADIUSContract", "RADIUSDriver",
            "Store", "SubscriberDriver", "Subscribers", "Telemetry", argumentParser, crypto, logging,
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        ],
        path: "ControlPlane/Apps/bng-controller", swiftSettings: strict),
    .executableTarget(
        name: "bng-sim",
        dependencies: nio + [
            "AgentContract", "AgentProto", "BNGCore", "DHCPv4", "Ethernet", "Fleet", argumentParser,
        ],
        path: "ControlPlane/Apps/bng-sim", swiftSettings: strict),
    .executableTarget(
        name: "bngctl",
        dependencies: nio + ["AdminContract", argumentParser, .product(name: "NIOHTTP1", package: "swift-nio")],
        path: "ControlPlane/Apps/bngctl", swiftSettings: strict),
]

let tests: [Target] = [
    .target(
        name: "TestVectors", dependencies: ["BNGCore", crypto], path: "Tests/support/TestVectors",
        swiftSettings: strict),
    unitTests("BNGCoreTests", ["BNGCore"]),
    unitTests("EthernetTests", ["BNGCore", "Ethernet"]),
    unitTests("DHCPv4Tests", ["BNGCore", "DHCPv4", "Ethernet", "TestVectors"]),
    .target(
        name: "DHCPv6Exercise", dependencies: ["BNGCore", "DHCPv6"], path: "Tests/support/DHCPv6Exercise",
        swiftSettings: strict),
    unitTests("DHCPv6Tests", ["BNGCore", "DHCPv6", "DHCPv6Exercise", "TestVectors"]),
    .target(
        name: "NDExercise", dependencies: ["BNGCore", "NeighborDiscovery"], path: "Tests/support/NDExercise",
        swiftSettings: strict),
    unitTests("NeighborDiscoveryTests", ["BNGCore", "NDExercise", "NeighborDiscovery", "TestVectors"]),
    .target(
        name: "PPPClient", dependencies: ["BNGCore", "PPP"], path: "Tests/support/PPPClient", swiftSettings: strict),
    unitTests("PPPTests", ["BNGCore", "PPP", "PPPClient", "PPPExercise", "TestVectors"]),
    .target(
        name: "PPPExercise", dependencies: ["BNGCore", "PPP", "PPPoE"], path: "Tests/support/PPPExercise",
        swiftSettings: strict),
    unitTests("PPPoETests", ["BNGCore", "PPPoE", "PPPExercise", "TestVectors"]),
    unitTests("RADIUSTests", ["BNGCore", "RADIUS", "TestVectors"]),
    .target(
        name: "RADIUSExercise", dependencies: ["BNGCore", "RADIUS", "RADIUSContract", "Subscribers"],
        path: "Tests/support/RADIUSExercise", swiftSettings: strict),
    unitTests(
        "RADIUSContractTests",
        ["BNGCore", "RADIUS", "RADIUSContract", "RADIUSExercise", "Subscribers", "TestVectors"]),
    unitTests("IPFIXTests", ["BNGCore", "IPFIX"]),
    unitTests("SyslogTests", ["BNGCore", "Syslog"]),
    unitTests("NATRecordsDriverTests", ["BNGCore", "NATRecordsDriver", "Subscribers", "Syslog", logging]),
    unitTests("LeaseClientTests", ["BNGCore", "LeaseClient"]),
    unitTests("PCPTests", ["BNGCore", "PCP"]),
    unitTests("DHCPServerDriverTests", nio + ["BNGCore", "DHCPServerDriver", "DHCPv4", "DHCPv6", logging]),
    unitTests("AddressingTests", ["BNGCore", "Addressing", "TestVectors"]),
    unitTests("SubscribersTests", ["BNGCore", "Subscribers", "TestVectors"]),
    unitTests("FleetTests", ["BNGCore", "Fleet"]),
    unitTests("NodeAuthorityTests", ["BNGCore", "NodeAuthority", crypto, x509, asn1]),
    unitTests("AgentContractTests", ["BNGCore", "Fleet", "AgentContract", "AgentProto", "TestVectors", protobuf]),
    unitTests(
        "BNGConfigurationTests",
        [
            "Addressing", "BNGCore", "Fleet", "NeighborDiscovery", "RADIUS", "RADIUSContract", "Subscribers",
            "BNGConfiguration",
            "TestVectors",
        ]),
    unitTests("LocalAAATests", ["BNGCore", "Subscribers", "LocalAAA", "TestVectors"]),
    unitTests("AccountingDriverTests", nio + ["AccountingDriver", "BNGCore", "Subscribers", logging]),
    unitTests("TelemetryTests", ["Telemetry", logging]),
    unitTests(
        "AdminAPITests",
        nio + [
            "AdminAPI", "AdminContract", "TestVectors", logging, .product(name: "Hummingbird", package: "hummingbird"),
        ]),
    unitTests(
        "StoreTests",
        [
            "BNGCore", "Fleet", "PPP", "Subscribers", "Store", "store-writer", "TestVectors", logging,
            .product(name: "GRDB", package: "GRDB.swift"),
        ]),
    .executableTarget(
        name: "store-writer", dependencies: ["BNGCore", "Subscribers", "Store", logging],
        path: "Tests/support/StoreWriter", swiftSettings: strict),
    unitTests(
        "AgentDriverTests",
        nio + [
            "BNGCore", "Fleet", "AgentContract", "AgentProto", "AgentDriver", "TestVectors", protobuf, logging,
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]),
    unitTests(
        "RADIUSDriverTests",
        nio + [
            "BNGCore", "LocalAAA", "RADIUS", "RADIUSContract", "RADIUSDriver", "Subscribers", "TestVectors", logging,
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]),
    unitTests(
        "SubscriberDriverTests",
        nio + [
            "BNGCore", "DHCPv4", "DHCPv6", "Ethernet", "Addressing", "Fleet", "NeighborDiscovery", "PPP", "PPPClient",
            "PPPoE", "Subscribers",
            "SubscriberDriver", "TestVectors", crypto,
        ]),
]

// Built with `-sanitize=fuzzer` for everything and in a scratch path of their own, so only when asked for.
let fuzzers: [Target] =
    Context.environment["BNG_FUZZ"] == nil
    ? []
    : [
        .target(name: "FuzzDriver", path: "Tests/fuzz/FuzzDriver", swiftSettings: strict),
        .executableTarget(
            name: "fuzz-contract", dependencies: ["FuzzDriver", "AgentContract", "AgentProto", protobuf, "Fleet"],
            path: "Tests/fuzz/fuzz-contract", swiftSettings: strict),
        .executableTarget(
            name: "fuzz-dhcpv4", dependencies: ["FuzzDriver", "BNGCore", "DHCPv4", "Ethernet"],
            path: "Tests/fuzz/fuzz-dhcpv4", swiftSettings: strict),
        .executableTarget(
            name: "fuzz-dhcpv6", dependencies: ["FuzzDriver", "DHCPv6Exercise"], path: "Tests/fuzz/fuzz-dhcpv6",
            swiftSettings: strict),
        .executableTarget(
            name: "fuzz-nd", dependencies: ["FuzzDriver", "NDExercise"], path: "Tests/fuzz/fuzz-nd",
            swiftSettings: strict),
        .executableTarget(
            name: "fuzz-ppp", dependencies: ["FuzzDriver", "PPPExercise"], path: "Tests/fuzz/fuzz-ppp",
            swiftSettings: strict),
        .executableTarget(
            name: "fuzz-pppoe", dependencies: ["FuzzDriver", "PPPExercise"], path: "Tests/fuzz/fuzz-pppoe",
            swiftSettings: strict),
        .executableTarget(
            name: "fuzz-radius", dependencies: ["FuzzDriver", "RADIUSExercise"],
            path: "Tests/fuzz/fuzz-radius", swiftSettings: strict),
    ]

let package = Package(
    name: "bng",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ],
    targets: core + protocols + domain + contract + drivers + apps + tests + fuzzers
)
