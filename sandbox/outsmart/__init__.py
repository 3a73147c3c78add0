"""OutSmart's API 8 as its descriptions show it.

Descriptions: https://github.com/CloudEcosystemDev/outsmart-component and https://knowledge.out-smart.com/openapi
"""
